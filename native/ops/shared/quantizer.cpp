#include "ops/shared/quantizer.h"

#include <string>

#include "ops/shared/checks.h"
#include "threadwheel/error.h"

namespace threadwheel {

IntegerRange range_of(const char* op, DType dtype) {
  switch (dtype) {
    case DType::kQInt8: return {-128, 127};
    case DType::kQUInt8: return {0, 255};
    case DType::kQInt32: return {INT32_MIN, INT32_MAX};
    default:
      throw Error(ErrorCode::kUnsupported, std::string(op) + ": unsupported dtype " + dtype_name(dtype) +
                                               "; supported are qint8, quint8, qint32");
  }
}

const Quantizer& quantizer_of(const char* op, const Tensor& x) {
  range_of(op, x.dtype());
  if (!x.quantizer())
    throw Error(
        ErrorCode::kUnsupported,
        std::string(op) + ": the tensor is a view of a tensor quantized per channel; use the tensor itself");
  return *x.quantizer();
}

const Quantizer& tensor_quantizer(const char* op, const Tensor& x) {
  const Quantizer& q = quantizer_of(op, x);
  if (q.per_channel()) fail_value(op, "the tensor is quantized per channel; expected per tensor");
  return q;
}

void check_parameters(const char* op, double scale, std::int64_t zero_point, DType dtype) {
  const IntegerRange range = range_of(op, dtype);
  if (!(scale > 0) || zero_point < range.least || zero_point > range.most)
    fail_value(op, "scale is " + std::to_string(scale) + " and zero_point " + std::to_string(zero_point) +
                       "; expected a positive number, and one that " + dtype_name(dtype) + " holds");
}

}  // namespace threadwheel
