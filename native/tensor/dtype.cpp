// The table of element types and the promotion lattice.
#include "tensor/dtype.h"

#include <algorithm>

namespace threadwheel {
namespace {

using enum DTypeCategory;

constexpr DTypeInfo kTable[] = {
    {DType::kBool, "bool", 1, kBool, "?"},
    {DType::kUInt8, "uint8", 1, kInteger, "B"},
    {DType::kInt8, "int8", 1, kInteger, "b"},
    {DType::kInt16, "int16", 2, kInteger, "h"},
    {DType::kInt32, "int32", 4, kInteger, "i"},
    {DType::kInt64, "int64", 8, kInteger, "l"},
    {DType::kFloat16, "float16", 2, kFloating, "e"},
    {DType::kBFloat16, "bfloat16", 2, kFloating, nullptr},
    {DType::kFloat32, "float32", 4, kFloating, "f"},
    {DType::kFloat64, "float64", 8, kFloating, "d"},
    {DType::kComplex64, "complex64", 8, kComplex, "Zf"},
    {DType::kComplex128, "complex128", 16, kComplex, "Zd"},
    {DType::kQInt8, "qint8", 1, kQuantized, nullptr},
    {DType::kQUInt8, "quint8", 1, kQuantized, nullptr},
    {DType::kQInt32, "qint32", 4, kQuantized, nullptr},
};

// In no table that numbers or names are looked up in: nobody can ask for it.
constexpr DTypeInfo kNestedInfo{DType::kNested, "nested float32", 4, kNested, nullptr};

DType promote_integers(DType a, DType b) {
  // Of equal size are uint8 and int8 only: the least type that holds both is int16.
  if (dtype_size(a) == dtype_size(b)) return DType::kInt16;
  return dtype_size(a) > dtype_size(b) ? a : b;
}

DType promote_floats(DType a, DType b) {
  // Of equal size are float16 and bfloat16 only: neither holds the other.
  if (dtype_size(a) == dtype_size(b)) return DType::kFloat32;
  return dtype_size(a) > dtype_size(b) ? a : b;
}

DType promote_complex(DType a, DType b) {
  const bool wide = a == DType::kComplex128 || b == DType::kComplex128 || a == DType::kFloat64 || b == DType::kFloat64;
  return wide ? DType::kComplex128 : DType::kComplex64;
}

}  // namespace

const DTypeInfo& dtype_info(DType dtype) {
  if (dtype == DType::kNested) return kNestedInfo;
  return *std::find_if(std::begin(kTable), std::end(kTable), [&](const auto& row) { return row.dtype == dtype; });
}

std::optional<DType> find_dtype(std::int64_t scalar_type) {
  for (const auto& row : kTable)
    if (static_cast<std::int64_t>(row.dtype) == scalar_type) return row.dtype;
  return std::nullopt;
}

DType checked_dtype(std::int64_t scalar_type) {
  if (const auto dtype = find_dtype(scalar_type)) return *dtype;
  throw Error(ErrorCode::kValue, "dtype: " + std::to_string(scalar_type) + " is none; float32 is 6, int64 is 4");
}

std::optional<DType> find_dtype(std::string_view name) {
  for (const auto& row : kTable)
    if (row.name == name) return row.dtype;
  return std::nullopt;
}

DType real_dtype(DType dtype) {
  if (dtype == DType::kComplex64) return DType::kFloat32;
  return dtype == DType::kComplex128 ? DType::kFloat64 : dtype;
}

DType complex_dtype(DType dtype) {
  if (dtype == DType::kFloat16)
    throw Error(ErrorCode::kUnsupported, "promotion: float16 has no complex dtype; convert it to float32 first");
  return promote_complex(dtype, DType::kComplex64);
}

DType compute_dtype(DType dtype) {
  if (is_integral(dtype)) return DType::kInt64;
  return dtype == DType::kFloat16 || dtype == DType::kBFloat16 ? DType::kFloat32 : dtype;
}

DType promote_types(DType a, DType b) {
  if (a == b) return a;
  const DTypeCategory category_a = dtype_info(a).category, category_b = dtype_info(b).category;
  const DTypeCategory higher = std::max(category_a, category_b);
  if (higher >= kQuantized)
    throw Error(ErrorCode::kUnsupported, std::string("promotion: ") + dtype_name(a) + " and " + dtype_name(b) +
                                             " have no common dtype; " +
                                             (higher == kQuantized ? "dequantize first" : "pad it first"));
  if (higher == kComplex) return promote_complex(a, b);
  if (category_a != category_b) return category_a > category_b ? a : b;
  return higher == kFloating ? promote_floats(a, b) : promote_integers(a, b);
}

}  // namespace threadwheel
