// Products with what follows them: what passes/ make of a frozen program's linear and convolution nodes. Their weights
// are objects that only passes make.
#include "ops/layers/fused.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <string>
#include <unordered_map>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/layers/convolution.h"
#include "ops/linalg/products.h"
#include "ops/registry.h"
#include "ops/shared/shapes.h"
#include "parallel/fork_gate.h"
#include "parallel/never_destroyed.h"
#include "providers/dnn.h"
#include "providers/weight.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using Ints = std::span<const std::int64_t>;
using OptionalTensor = std::optional<Tensor>;

#define THREADWHEEL_WEIGHT "__torch__.torch.classes.threadwheel.Weight"

struct WeightObject final : ObjectValue {
  explicit WeightObject(dnn::WeightPtr given) : ObjectValue(class_type()), weight(std::move(given)) {}

  static const TypePtr& class_type() {
    static const TypePtr& type = detail::never_destroyed(Type::class_of(THREADWHEEL_WEIGHT, {}));
    return type;
  }

  const dnn::WeightPtr weight;
};

const dnn::WeightPtr& weight_of(const Value& value) {
  // Nobody else makes objects of this very type; a name would not do, as programs choose theirs.
  if (!value.is_object() || value.to_object().type != WeightObject::class_type())
    fail_value("fused op: weight is no " THREADWHEEL_WEIGHT);
  return static_cast<const WeightObject&>(value.to_object()).weight;
}

// The activations by the names that graphs have.
constexpr std::pair<std::string_view, dnn::Activation> kActivations[] = {
    {"", dnn::Activation::kNone},
    {"relu", dnn::Activation::kRelu},
    {"hardtanh", dnn::Activation::kClamp},
    {"sigmoid", dnn::Activation::kSigmoid},
    {"tanh", dnn::Activation::kTanh},
    {"hardswish", dnn::Activation::kHardswish},
    {"hardsigmoid", dnn::Activation::kHardsigmoid},
    {"silu", dnn::Activation::kSilu},
    {"gelu", dnn::Activation::kGelu},
    {"gelu_tanh", dnn::Activation::kGeluTanh},
};

// What follows the product.
struct Tail {
  const OptionalTensor& sum;
  bool in_place;  // the sum keeps the product's sizes and dtype, or is refused
  const std::string& activation;
  double low, high;

  dnn::Epilogue epilogue(const OptionalTensor& dense_sum) const {
    const auto* const found = std::ranges::find(kActivations, activation, [](const auto& row) { return row.first; });
    if (found == std::end(kActivations)) fail_value("fused op: activation is '" + activation + "', which is not known");
    return {found->second, static_cast<float>(low), static_cast<float>(high),
            dense_sum ? dense_sum->data<const float>() : nullptr};
  }
};

// The tail as ops of its own, for dtypes and sizes that no fused kernel takes.
Tensor apply(const Tail& tail, Tensor product) {
  if (tail.sum) product = aten(tail.in_place ? "add_.Tensor" : "add.Tensor", {product, *tail.sum});
  const std::string& name = tail.activation;
  if (name.empty()) return product;
  if (name == "hardtanh") return aten("hardtanh_", {product, tail.low, tail.high});
  if (name.starts_with("gelu")) return aten("gelu_", {product, name == "gelu" ? "none" : "tanh"});
  return aten(name + "_", {product});
}

bool is_dense_float(const Tensor& tensor) { return tensor.dtype() == DType::kFloat32 && tensor.is_contiguous(); }

bool fits(const Tail& tail, const Tensor& output) {
  return !tail.sum || (tail.sum->dtype() == DType::kFloat32 && tail.sum->sizes() == output.sizes());
}

Tensor fused_linear(const Tensor& input, const Value& constant, const OptionalTensor& bias, const OptionalTensor& sum,
                    bool in_place, const std::string& activation, double low, double high) {
  const Tail tail{sum, in_place, activation, low, high};
  const dnn::WeightPtr& weight = weight_of(constant);
  const Dims& w = weight->sizes();
  const auto plain = [&] { return apply(tail, in_float<linear>(input, weight->plain(), bias)); };
  const bool takes = input.dtype() == DType::kFloat32 && w.size() == 2 &&
                     (!bias || (is_dense_float(*bias) && bias->numel() == w[0])) && input.dim() >= 1 &&
                     input.numel() > 0 && w[0] > 0 && input.size(static_cast<std::size_t>(input.dim()) - 1) == w[1];
  if (!takes) return plain();
  Dims sizes = input.sizes();
  sizes[sizes.size() - 1] = w[0];
  const Tensor output = Tensor::empty(sizes, DType::kFloat32), x = input.contiguous();
  if (!fits(tail, output)) return plain();
  const OptionalTensor dense_sum = sum ? OptionalTensor(sum->contiguous()) : std::nullopt;
  const bool done =
      dnn::linear_fused({output.numel() / w[0], w[1], w[0]}, x.data<const float>(), weight,
                        bias ? bias->data<const float>() : nullptr, tail.epilogue(dense_sum), output.data<float>());
  return done ? output : plain();
}

// --- convolution: layouts -----------------------------------------------------------------------------------
Dims channels_last_strides(const Dims& sizes) {
  Dims strides(sizes.size());
  std::int64_t stride = sizes[1];
  strides[1] = 1;
  for (std::size_t i = sizes.size(); i-- > 2;) {
    strides[i] = stride;
    stride *= sizes[i];
  }
  strides[0] = stride;
  return strides;
}

// A tensor that is both, as one of 1 by 1 pixels, counts as row-major.
bool is_channels_last(const Tensor& tensor) {
  if (tensor.is_contiguous() || tensor.dim() < 3) return false;
  const Dims strides = channels_last_strides(tensor.sizes());
  for (std::size_t i = 0; i < strides.size(); ++i)
    if (tensor.size(i) != 1 && tensor.stride(i) != strides[i]) return false;
  return true;
}

// The tensor in one of the two layouts.
Tensor laid_out(const Tensor& tensor) { return is_channels_last(tensor) ? tensor : tensor.contiguous(); }

Tensor fused_convolution(const Tensor& input, const Value& constant, const OptionalTensor& bias, Ints stride,
                         Ints padding, Ints dilation, std::int64_t groups, const OptionalTensor& sum,
                         bool in_place, const std::string& activation, double low, double high, bool channels_last) {
  const Tail tail{sum, in_place, activation, low, high};
  const dnn::WeightPtr& weight = weight_of(constant);
  const Dims& w = weight->sizes();
  const auto plain = [&] {
    static constexpr std::int64_t kNone[] = {0};
    return apply(tail, in_float<convolution>(input, weight->plain(), bias, stride, padding, dilation, false,
                                             Ints(kNone), groups));
  };
  if (input.dtype() != DType::kFloat32 || (bias && !is_dense_float(*bias)) ||
      input.sizes().size() != w.size() || input.numel() == 0 || count_elements(w) == 0)
    return plain();
  const dnn::ConvShape shape = convolution_shape(input, w, bias, stride, padding, dilation, groups);
  Dims sizes = input.sizes();
  sizes[1] = shape.out_channels;
  for (std::size_t i = 2; i < sizes.size(); ++i) sizes[i] = shape.output[i + 3 - sizes.size()];
  const std::size_t size_bytes = static_cast<std::size_t>(count_elements(sizes)) * sizeof(float);
  const Tensor output(Storage::allocate(size_bytes), DType::kFloat32, 0, sizes,
                      channels_last ? channels_last_strides(sizes) : contiguous_strides(sizes));
  if (output.numel() == 0 || !fits(tail, output)) return plain();
  const Tensor x = laid_out(input);
  const OptionalTensor dense_sum = sum ? OptionalTensor(laid_out(*sum)) : std::nullopt;
  const dnn::ChannelsLast layout{is_channels_last(x), dense_sum && is_channels_last(*dense_sum), channels_last};
  const bool done = dnn::convolution_fused(shape, layout, x.data<const float>(), weight,
                                           bias ? bias->data<const float>() : nullptr, tail.epilogue(dense_sum),
                                           output.data<float>());
  return done ? output : plain();
}

constexpr OpDefinition kOps[] = {
    define_op<fused_linear>(
        "threadwheel::linear(Tensor input, " THREADWHEEL_WEIGHT " weight, Tensor? bias, Tensor? sum, bool in_place, str "
        "activation, float low, float high) -> Tensor"),
    define_op<fused_convolution>(
        "threadwheel::convolution(Tensor input, " THREADWHEEL_WEIGHT " weight, Tensor? bias, int[] stride, int[] "
        "padding, int[] dilation, int groups, Tensor? sum, bool in_place, str activation, float low, float high, bool "
        "channels_last) -> Tensor"),
};

}  // namespace

Value constant_weight(const Tensor& tensor) {
  // Of one tensor in several places, or methods, of a model there is one weight.
  static std::mutex mutex;
  static auto& known = detail::never_destroyed(std::unordered_map<const void*, std::weak_ptr<dnn::Weight>>());
  const Tensor plain = tensor.contiguous();
  const detail::ForkSafeLock lock(mutex);
  std::erase_if(known, [](const auto& each) { return each.second.expired(); });
  std::weak_ptr<dnn::Weight>& entry = known[plain.raw_data()];
  dnn::WeightPtr weight = entry.lock();
  if (weight == nullptr || !weight->is(plain)) entry = weight = std::make_shared<dnn::Weight>(plain);
  return Value(Ref<ObjectValue>(make_ref<WeightObject>(std::move(weight))));
}

std::span<const OpDefinition> fused_ops() { return kOps; }

}  // namespace threadwheel
