// Value: an argument or result of a program, of any type that has a form in C++. Immutable; copies share what they hold,
// and lists, tuples and dicts are copied on their way into a program and out of it. Tensors are not: an argument and a
// result may refer to the same elements.
//
// Any number of threads may use a value at once.
#pragma once

#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <threadwheel/tensor.h>

namespace threadwheel::jit {

namespace detail {
struct ValueBody;
}  // namespace detail

class Value {
 public:
  enum class Kind : std::uint8_t { kNone, kBool, kInt, kDouble, kComplex, kString, kTensor, kList, kTuple, kDict };

  using Entry = std::pair<Value, Value>;  // of a dict: key and value

  Value() noexcept = default;  // None
  Value(std::same_as<bool> auto value) : Value(Kind::kBool, value) {}  // NOLINT: these convert, as arguments do
  // Throws Error(kValue) for an unsigned number beyond int64.
  template <std::integral T>
    requires(!std::same_as<T, bool> && sizeof(T) <= sizeof(std::int64_t))
  Value(T value) : Value(Kind::kInt, static_cast<std::int64_t>(value)) {  // NOLINT
    if constexpr (std::unsigned_integral<T>) refuse_negative();
  }
  Value(double value);                // NOLINT
  Value(std::complex<double> value);  // NOLINT
  Value(std::string value);           // NOLINT
  Value(const char* value) : Value(std::string(value)) {}  // NOLINT
  Value(std::nullptr_t) = delete;
  Value(Tensor value);                // NOLINT

  static Value list(const std::vector<Value>& elements);
  static Value tuple(const std::vector<Value>& elements);
  // Keys are bools, ints, doubles or strings; the last entry of a key counts.
  static Value dict(const std::vector<Entry>& entries);

  Kind kind() const noexcept;
  bool is_none() const noexcept { return body_ == nullptr; }

  // What the value is. Throw Error(kType) that names both kinds when it is something else.
  bool to_bool() const;
  std::int64_t to_int() const;
  double to_double() const;  // of an int too
  std::complex<double> to_complex() const;  // of an int or a double too
  std::string to_string() const;
  Tensor to_tensor() const;
  std::vector<Value> to_list() const;
  std::vector<Value> to_tuple() const;
  std::vector<Entry> to_dict() const;  // in the order of insertion

 private:
  friend struct detail::Access;

  Value(Kind kind, std::int64_t number);
  void refuse_negative() const;  // of an unsigned number: it was too large

  std::shared_ptr<const detail::ValueBody> body_;  // null: None
};

}  // namespace threadwheel::jit
