// Tensors from nested lists, and back.
#include "ops/shared/numbers.h"

#include <vector>

#include "ops/shared/elementwise.h"
#include "ops/shared/options.h"
#include "ops/shared/quantize.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using Reader = Value (*)(const std::byte*);

template <class T>
Value number_at(const std::byte* at) {
  const T value = *reinterpret_cast<const T*>(at);
  if constexpr (std::is_same_v<T, bool>) return Value(value);
  else if constexpr (std::is_integral_v<T>) return Value(static_cast<std::int64_t>(value));
  else if constexpr (kIsComplex<T>) return Value(Complex(value));
  else return Value(convert_value<double>(value));
}

Value list_of(const Tensor& x, std::size_t dim, const std::byte* at, Reader read) {
  if (dim == x.sizes().size()) return read(at);
  const std::int64_t step = x.stride(dim) * static_cast<std::int64_t>(dtype_size(x.dtype()));
  std::vector<Value> elements;
  elements.reserve(static_cast<std::size_t>(x.size(dim)));
  for (std::int64_t i = 0; i < x.size(dim); ++i) elements.push_back(list_of(x, dim + 1, at + i * step, read));
  return Value::list(std::move(elements));
}

// Sizes are those of the first elements; each list must have the one of its depth.
class ListReader {
 public:
  ListReader(const char* where, const Value& data) : where_(where) {
    Value level = data;
    while (level.is_list()) {
      sizes_.push_back(static_cast<std::int64_t>(level.to_list().size()));
      if (sizes_.back() == 0) break;
      level = Value(level.to_list().front());
    }
    if (level.is_tensor()) sizes_.insert(sizes_.end(), level.to_tensor().sizes().begin(), level.to_tensor().sizes().end());
    read(data, std::nullopt);
  }

  Tensor tensor(std::optional<DType> dtype) const {
    const DType result = dtype.value_or(dtype_.value_or(DType::kFloat32));
    Tensor out = Tensor::empty(sizes_, result);
    visit_dtype(AllTypes(), result, where_, [&]<class T>() {
      for (std::size_t i = 0; i < numbers_.size(); ++i) {
        check_fits(where_, numbers_[i], result);
        out.data<T>()[i] = numbers_[i].to<T>();
      }
    });
    return out;
  }

 private:
  // `dtype` is that of the tensor that the value is in.
  void read(const Value& value, std::optional<DType> dtype) {
    if (value.is_tensor()) {
      take_part(value.to_tensor().dtype());
      return read(nested_list(value.to_tensor()), value.to_tensor().dtype());
    }
    if (value.is_list()) return read_list(value.to_list(), dtype);
    if (!value.is_number()) refuse("is neither a number nor a list");
    if (place_.size() < sizes_.size()) refuse("is a number");
    numbers_.push_back(value.to_scalar());
    if (!dtype) take_part(default_dtype(numbers_.back().category()));
  }

  void read_list(const std::vector<Value>& list, std::optional<DType> dtype) {
    const auto count = static_cast<std::int64_t>(list.size());
    if (place_.size() == sizes_.size() || count != sizes_[place_.size()])
      refuse("is a list of " + std::to_string(count));
    place_.push_back(0);
    for (const Value& each : list) {
      read(each, dtype);
      ++place_.back();
    }
    place_.pop_back();
  }

  void take_part(DType dtype) { dtype_ = dtype_ ? promote_types(*dtype_, dtype) : dtype; }

  [[noreturn]] void refuse(const std::string& found) const {
    const std::string expected = place_.size() == sizes_.size()
                                     ? "a number"
                                     : "a list of " + std::to_string(sizes_[place_.size()]) + ", as the first one";
    throw Error(ErrorCode::kValue,
                std::string(where_) + ": " + place_name(place_) + " " + found + "; expected " + expected);
  }

  const char* where_;
  IntList sizes_, place_;
  std::vector<Scalar> numbers_;
  std::optional<DType> dtype_;
};

}  // namespace

Value nested_list(const Tensor& tensor) {
  const bool quantized = dtype_info(tensor.dtype()).category == DTypeCategory::kQuantized;
  const Tensor x = quantized ? dequantize(tensor) : tensor;
  const Reader read =
      visit_dtype(AllTypes(), x.dtype(), "tolist", []<class T>() -> Reader { return &number_at<T>; });
  return list_of(x, 0, x.raw_data(), read);
}

Tensor tensor_of(const char* where, const Value& data, std::optional<DType> dtype) {
  return ListReader(where, data).tensor(dtype);
}

std::string place_name(std::span<const std::int64_t> place) {
  std::string text = place.empty() ? "the data" : "element ";
  for (const std::int64_t index : place) text += "[" + std::to_string(index) + "]";
  return text;
}

}  // namespace threadwheel
