// Value: what an op takes and gives when its types are known from the schema only, in the bindings and in the
// interpreter. Kernels themselves are typed C++ functions; see registry.h for the step between the two.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tensor/tensor.h"

namespace threadwheel {

using IntList = std::vector<std::int64_t>;

// A number of the host language: its category takes part in dtype promotion, its size does not.
class Scalar {
 public:
  Scalar(bool value) : value_(value) {}          // NOLINT: a Scalar is what these are
  Scalar(std::int64_t value) : value_(value) {}  // NOLINT
  Scalar(double value) : value_(value) {}        // NOLINT

  DTypeCategory category() const noexcept {
    constexpr DTypeCategory kCategories[] = {DTypeCategory::kBool, DTypeCategory::kInteger, DTypeCategory::kFloating};
    return kCategories[value_.index()];
  }

  template <class T>
  T to() const {
    return std::visit([](auto value) { return static_cast<T>(value); }, value_);
  }

 private:
  std::variant<bool, std::int64_t, double> value_;
};

class Value {
 public:
  Value() = default;  // None
  Value(bool value) : data_(value) {}  // NOLINT: these convert, as arguments do
  Value(std::int64_t value) : data_(value) {}  // NOLINT
  Value(double value) : data_(value) {}  // NOLINT
  Value(Tensor value) : data_(std::move(value)) {}  // NOLINT
  Value(IntList value) : data_(std::move(value)) {}  // NOLINT
  Value(std::string value) : data_(std::move(value)) {}  // NOLINT

  bool is_none() const noexcept { return is<std::monostate>(); }
  bool is_bool() const noexcept { return is<bool>(); }
  bool is_int() const noexcept { return is<std::int64_t>(); }
  bool is_double() const noexcept { return is<double>(); }
  bool is_tensor() const noexcept { return is<Tensor>(); }

  // The caller has checked the kind, by the schema.
  bool to_bool() const { return std::get<bool>(data_); }
  std::int64_t to_int() const { return std::get<std::int64_t>(data_); }
  double to_double() const { return is_int() ? static_cast<double>(to_int()) : std::get<double>(data_); }
  const Tensor& to_tensor() const { return std::get<Tensor>(data_); }
  const IntList& to_int_list() const { return std::get<IntList>(data_); }
  const std::string& to_string() const { return std::get<std::string>(data_); }
  Scalar to_scalar() const {
    return is_bool() ? Scalar(to_bool()) : is_int() ? Scalar(to_int()) : Scalar(std::get<double>(data_));
  }

 private:
  template <class T>
  bool is() const noexcept {
    return std::holds_alternative<T>(data_);
  }

  std::variant<std::monostate, bool, std::int64_t, double, Tensor, IntList, std::string> data_;
};

}  // namespace threadwheel
