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
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ops/schema.h"
#include "ops/value.h"

namespace threadwheel {

// All arguments of the schema, in its order, with defaults filled in and kinds checked.
using Arguments = std::span<const Value* const>;
using BoxedKernel = Value (*)(Arguments);

struct OpDefinition {
  const char* schema;
  BoxedKernel kernel;
  std::span<const char* const> kinds;  // the kinds that the kernel's parameters stand for; compared with the schema
};

namespace detail {

// A parameter of this kind takes any Value: generic ops look for themselves.
inline constexpr const char* kAnyKind = "*";

// For each parameter type of a kernel: the kind it stands for, and how it is taken from a Value. What get() returns
// lives until the kernel returns.
template <class T>
struct Unbox;

template <>
struct Unbox<const Value&> {
  static constexpr const char* kKind = kAnyKind;
  static const Value& get(const Value& value) { return value; }
};
template <>
struct Unbox<const Tensor&> {
  static constexpr const char* kKind = "Tensor";
  static const Tensor& get(const Value& value) { return value.to_tensor(); }
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
struct Unbox<Complex> {
  static constexpr const char* kKind = "complex";
  static Complex get(const Value& value) { return value.to_complex(); }
};
template <>
struct Unbox<bool> {
  static constexpr const char* kKind = "bool";
  static bool get(const Value& value) { return value.to_bool(); }
};
template <>
struct Unbox<const std::string&> {
  static constexpr const char* kKind = "str";
  static const std::string& get(const Value& value) { return value.to_string(); }
};
template <>
struct Unbox<std::string> {
  static constexpr const char* kKind = "str";
  static const std::string& get(const Value& value) { return value.to_string(); }
};
template <>
struct Unbox<DType> {
  static constexpr const char* kKind = "ScalarType";
  static DType get(const Value& value) { return checked_dtype(value.to_int()); }
};
template <>
struct Unbox<std::span<const std::int64_t>> {
  static constexpr const char* kKind = "int[]";
  static Dims get(const Value& value) {
    const std::vector<Value>& list = value.to_list();
    Dims values(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) values[i] = list[i].to_int();
    return values;
  }
};
template <>
struct Unbox<std::span<const double>> {
  static constexpr const char* kKind = "float[]";
  static std::vector<double> get(const Value& value) {
    std::vector<double> values;
    for (const Value& element : value.to_list()) values.push_back(element.to_double());
    return values;
  }
};
template <>
struct Unbox<std::span<const Tensor>> {
  static constexpr const char* kKind = "Tensor[]";
  static std::vector<Tensor> get(const Value& value) {
    std::vector<Tensor> values;
    values.reserve(value.to_list().size());
    for (const Value& element : value.to_list()) values.push_back(element.to_tensor());
    return values;
  }
};
template <>
struct Unbox<std::span<const std::optional<Tensor>>> {
  static constexpr const char* kKind = "Tensor?[]";
  static std::vector<std::optional<Tensor>> get(const Value& value) {
    std::vector<std::optional<Tensor>> values;
    for (const Value& element : value.to_list())
      values.push_back(element.is_none() ? std::nullopt : std::optional(element.to_tensor()));
    return values;
  }
};

// "kind?" at compile time.
template <const char* const& Kind>
struct OptionalKind {
  static constexpr auto kText = [] {
    std::array<char, std::char_traits<char>::length(Kind) + 2> text{};
    std::size_t i = 0;
    for (; Kind[i] != '\0'; ++i) text[i] = Kind[i];
    text[i] = '?';
    return text;
  }();
};

template <class T>
struct Unbox<std::optional<T>> {
  static constexpr const char* kKind = OptionalKind<Unbox<T>::kKind>::kText.data();
  using Held = std::decay_t<decltype(Unbox<T>::get(std::declval<const Value&>()))>;

  struct Holder {
    std::optional<Held> held;
    operator std::optional<T>() const {
      return held ? std::optional<T>(*held) : std::nullopt;
    }  // NOLINT: that is its use
  };
  static Holder get(const Value& value) {
    return {value.is_none() ? std::nullopt : std::optional<Held>(Unbox<T>::get(value))};
  }
};
template <>
struct Unbox<const std::optional<Tensor>&> {
  static constexpr const char* kKind = "Tensor?";
  static std::optional<Tensor> get(const Value& value) {
    return value.is_none() ? std::nullopt : std::optional(value.to_tensor());
  }
};

template <auto Kernel, class Signature = decltype(Kernel)>
struct Boxed;

template <auto Kernel, class Result, class... Args>
struct Boxed<Kernel, Result (*)(Args...)> {
  static constexpr std::array<const char*, sizeof...(Args)> kKinds{Unbox<Args>::kKind...};

  static Value call(Arguments arguments) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> Value {
      if constexpr (std::is_void_v<Result>) {
        Kernel(Unbox<Args>::get(*arguments[I])...);
        return {};
      } else {
        return Kernel(Unbox<Args>::get(*arguments[I])...);
      }
    }(std::index_sequence_for<Args...>());
  }
};

}  // namespace detail

template <auto Kernel>
constexpr OpDefinition define_op(const char* schema) {
  return {schema, &detail::Boxed<Kernel>::call, detail::Boxed<Kernel>::kKinds};
}

// For a schema with "...": the kernel takes the arguments as they come.
constexpr OpDefinition define_variadic_op(const char* schema, BoxedKernel kernel) { return {schema, kernel, {}}; }

class Op {
 public:
  explicit Op(const OpDefinition& definition) : definition_(definition) {}

  const char* schema_text() const noexcept { return definition_.schema; }
  std::string_view name() const noexcept;  // "aten::add"

  // Parsed at the first use, so that ops that nobody calls cost nothing. Throws Error(kRuntime) when the kernel's
  // parameters do not correspond to the schema.
  const Schema& schema() const;

  Value call(Arguments arguments) const { return definition_.kernel(arguments); }
  Value call(std::span<const Value> arguments) const;
  BoxedKernel kernel() const noexcept { return definition_.kernel; }

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
  std::span<const Op* const> find(std::string_view name) const;

 private:
  Registry();

  std::vector<std::unique_ptr<Op>> ops_;
  std::unordered_map<std::string_view, std::vector<const Op*>> by_name_;
};

}  // namespace threadwheel
