// Dropout and its variants: nothing outside of training; in training, elements or whole channels that are drawn at
// random become 0, or the alpha variants' least value, and the others are scaled so that the mean stays.
#include <algorithm>
#include <cmath>
#include <string>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/pointwise.h"
#include "tensor/layout.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

constexpr double kSeluLimit = 1.7580993408473766;  // what SELU gives far below 0, without its sign: scale times alpha

void check_p(const char* op, double p) {
  if (!(p >= 0 && p <= 1))
    throw Error(ErrorCode::kValue, std::string(op) + ": p is " + std::to_string(p) + "; expected 0 to 1");
}

// 1 where an element, or a channel, stays.
Tensor kept(const char* op, const Tensor& input, double p, bool of_channels) {
  Dims sizes = input.sizes();
  if (of_channels) {
    if (input.dim() < 2)
      throw Error(ErrorCode::kValue, std::string(op) + ": input has " + std::to_string(input.dim()) +
                                         " dimensions; expected 2 or more, the second those of channels");
    std::fill(sizes.begin() + 2, sizes.end(), 1);
  }
  const Tensor noise = of_channels ? Tensor::empty(sizes, input.dtype()) : empty_like(input, input.dtype());
  return aten("bernoulli_.float", {noise, 1 - p});
}

enum class Kind { kElements, kChannels, kAlpha, kAlphaChannels };

template <Name Op, Kind K, Into Where>
Tensor dropout(const Tensor& input, double p, bool train) {
  check_p(Op.text, p);
  if (!train || p == 0 || input.numel() == 0) return input;
  const auto multiplied = [&](const Value& factor) {
    return aten(Where == Into::kSelf ? "mul_.Tensor" : "mul.Tensor", {input, factor});
  };
  if (p == 1) return multiplied(scalar_tensor(false, input.dtype()));
  const Tensor noise = kept(Op.text, input, p, K == Kind::kChannels || K == Kind::kAlphaChannels);
  if constexpr (K == Kind::kElements || K == Kind::kChannels) return multiplied(aten("div_.Scalar", {noise, 1 - p}));
  const double scale = 1 / std::sqrt((kSeluLimit * kSeluLimit * p + 1) * (1 - p));
  const Tensor lifted = aten("add_.Scalar", {aten("mul_.Scalar", {aten("add.Scalar", {noise, -1.0}), kSeluLimit * scale}),
                                             kSeluLimit * scale * p});
  return aten("add_.Tensor", {multiplied(aten("mul_.Scalar", {noise, scale})), lifted});
}

// The result, and which elements stayed.
std::tuple<Tensor, Tensor> native_dropout(const Tensor& input, double p, std::optional<bool> train) {
  check_p("native_dropout", p);
  const Tensor mask = empty_like(input, DType::kBool);
  if (!train.value_or(true)) return {aten("clone", {input}), aten("fill_.Scalar", {mask, true})};
  aten("bernoulli_.float", {mask, 1 - p});
  return {aten("mul_.Scalar", {aten("mul.Tensor", {input, mask}), p == 1 ? 0.0 : 1 / (1 - p)}), mask};
}

#define THREADWHEEL_DROPOUT(name, kind)                                                                          \
  define_op<dropout<name, kind, Into::kNew>>("aten::" name "(Tensor input, float p, bool train) -> Tensor"),      \
      define_op<dropout<name "_", kind, Into::kSelf>>("aten::" name "_(Tensor(a!) self, float p, bool train) -> " \
                                                      "Tensor(a!)")

constexpr OpDefinition kOps[] = {
    THREADWHEEL_DROPOUT("dropout", Kind::kElements),
    THREADWHEEL_DROPOUT("feature_dropout", Kind::kChannels),
    THREADWHEEL_DROPOUT("alpha_dropout", Kind::kAlpha),
    THREADWHEEL_DROPOUT("feature_alpha_dropout", Kind::kAlphaChannels),
    define_op<native_dropout>("aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)"),
};

#undef THREADWHEEL_DROPOUT

}  // namespace

std::span<const OpDefinition> dropout_ops() { return kOps; }

}  // namespace threadwheel
