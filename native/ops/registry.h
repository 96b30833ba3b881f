// The op registry: one entry per op, its aten schema text and its kernel. A kernel is a typed C++ function; a
// template unboxes its arguments. To add an op, write the kernel and its entry in the table of its family's file.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ops/schema.h"
#include "ops/value.h"

namespace threadwheel {

// Takes all arguments of the schema, in its order, with defaults filled in and kinds checked.
using BoxedKernel = Value (*)(std::span<const Value> arguments);

struct OpDefinition {
  const char* schema;
  BoxedKernel kernel;
  std::span<const char* const> kinds;  // the kinds that the kernel's parameters stand for; compared with the schema
};

namespace detail {

// For each parameter type of a kernel: the kind it stands for, and how it is taken from a Value.
template <class T>
struct Unbox;

template <>
struct Unbox<const Tensor&> {
  static constexpr const char* kKind = "Tensor";
  static const Tensor& get(const Value& value) { return value.to_tensor(); }
};
template <>
struct Unbox<const std::optional<Tensor>&> {
  static constexpr const char* kKind = "Tensor?";
  static std::optional<Tensor> get(const Value& value) {
    return value.is_none() ? std::nullopt : std::optional(value.to_tensor());
  }
};
template <>
struct Unbox<Scalar> {
  static constexpr const char* kKind = "Scalar";
  static Scalar get(const Value& value) { return value.to_scalar(); }
};
template <>
struct Unbox<std::int64_t> {
  static constexpr const char* kKind = "int";
  static std::int64_t get(const Value& value) { return value.to_int(); }
};
template <>
struct Unbox<double> {
  static constexpr const char* kKind = "float";
  static double get(const Value& value) { return value.to_double(); }
};
template <>
struct Unbox<bool> {
  static constexpr const char* kKind = "bool";
  static bool get(const Value& value) { return value.to_bool(); }
};
template <>
struct Unbox<std::span<const std::int64_t>> {
  static constexpr const char* kKind = "int[]";
  static std::span<const std::int64_t> get(const Value& value) { return value.to_int_list(); }
};
template <>
struct Unbox<std::optional<std::span<const std::int64_t>>> {
  static constexpr const char* kKind = "int[]?";
  static std::optional<std::span<const std::int64_t>> get(const Value& value) {
    return value.is_none() ? std::nullopt : std::optional<std::span<const std::int64_t>>(value.to_int_list());
  }
};
template <>
struct Unbox<std::optional<DType>> {
  static constexpr const char* kKind = "ScalarType?";
  static std::optional<DType> get(const Value& value) {
    return value.is_none() ? std::nullopt : std::optional(static_cast<DType>(value.to_int()));
  }
};

template <auto Kernel, class Signature = decltype(Kernel)>
struct Boxed;

template <auto Kernel, class Result, class... Args>
struct Boxed<Kernel, Result (*)(Args...)> {
  static constexpr std::array<const char*, sizeof...(Args)> kKinds{Unbox<Args>::kKind...};

  static Value call(std::span<const Value> arguments) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> Value {
      return Kernel(Unbox<Args>::get(arguments[I])...);
    }(std::index_sequence_for<Args...>());
  }
};

}  // namespace detail

template <auto Kernel>
constexpr OpDefinition define_op(const char* schema) {
  return {schema, &detail::Boxed<Kernel>::call, detail::Boxed<Kernel>::kKinds};
}

class Op {
 public:
  explicit Op(const OpDefinition& definition) : definition_(definition) {}

  const char* schema_text() const noexcept { return definition_.schema; }
  std::string_view name() const noexcept;  // "aten::add"

  // Parsed at the first use, so that ops that nobody calls cost nothing. Throws Error(kRuntime) when the kernel's
  // parameters do not correspond to the schema.
  const Schema& schema() const;

  Value call(std::span<const Value> arguments) const { return definition_.kernel(arguments); }

 private:
  OpDefinition definition_;
  mutable std::once_flag parsed_;
  mutable std::unique_ptr<const Schema> schema_;
};

class Registry {
 public:
  static const Registry& instance();

  std::span<const std::unique_ptr<Op>> ops() const noexcept { return ops_; }

  // The overloads of "aten::add", in the order of their table: the first that fits is taken. Empty: no such op.
  std::vector<const Op*> find(std::string_view name) const;

 private:
  Registry();

  std::vector<std::unique_ptr<Op>> ops_;
};

}  // namespace threadwheel
