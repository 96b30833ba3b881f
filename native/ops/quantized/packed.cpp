#include "ops/quantized/packed.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ops/shared/quantizer.h"
#include "ops/shared/shapes.h"
#include "parallel/never_destroyed.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace packed {
namespace {

std::vector<ClassDefinition::Attribute> weight_attributes() {
  const TypePtr& tensor = Type::of(TypeKind::kTensor);
  return {{"weight", tensor}, {"bias", Type::optional(tensor)}, {"integers", tensor}};
}

}  // namespace

const TypePtr& linear_class() {
  static const TypePtr& type =
      detail::never_destroyed(Type::class_of(THREADWHEEL_LINEAR_PARAMS, weight_attributes()));
  return type;
}

const TypePtr& conv2d_class() {
  static const TypePtr& type = detail::never_destroyed([] {
    auto attributes = weight_attributes();
    const TypePtr ints = Type::list(Type::of(TypeKind::kInt));
    for (const char* name : {"stride", "padding", "dilation"}) attributes.push_back({name, ints});
    attributes.push_back({"groups", Type::of(TypeKind::kInt)});
    return Type::class_of(THREADWHEEL_CONV2D_PARAMS, std::move(attributes));
  }());
  return type;
}

namespace {

const Value& slot(const char* op, const Value& value, const TypePtr& type, std::size_t index) {
  if (!value.is_object() || value.to_object().type->definition()->name != type->definition()->name ||
      value.to_object().slots.size() <= index)
    fail_value(std::string(op) + ": the packed parameters are of another class; expected " + type->to_string());
  return value.to_object().slots[index];
}

}  // namespace

Params::Params(const char* op, const Value& value, const TypePtr& type)
    : weight(slot(op, value, type, kWeight).to_tensor()), integers(slot(op, value, type, kIntegers).to_tensor()) {
  if (const Value& given = slot(op, value, type, kBias); given.is_tensor()) bias = given.to_tensor();
}

}  // namespace packed

namespace {

using namespace packed;
using Ints = std::span<const std::int64_t>;

void fill_weight(const char* op, ObjectValue& object, const Tensor& weight, const std::optional<Tensor>& bias) {
  const Quantizer& q = quantizer_of(op, weight);
  if (weight.dtype() != DType::kQInt8 || weight.dim() < 2 || (q.per_channel() && q.axis != 0))
    fail_value(std::string(op) + ": " + describe("weight", weight) + ", " + dtype_name(weight.dtype()) +
               "; expected qint8, quantized per tensor or along dimension 0");
  if (bias && (bias->dim() != 1 || bias->size(0) != weight.size(0) || bias->dtype() != DType::kFloat32))
    fail_value(std::string(op) + ": " + describe("bias", *bias) + ", " + dtype_name(bias->dtype()) + "; expected [" +
               std::to_string(weight.size(0)) + "], float32");
  object.slots[kWeight] = weight;
  if (bias) object.slots[kBias] = bias->contiguous();
  object.slots[kIntegers] = centered_integers<float>(op, weight);
}

}  // namespace

Value linear_prepack(const Tensor& weight, const std::optional<Tensor>& bias) {
  auto object = make_ref<ObjectValue>(linear_class());
  fill_weight("quantized::linear_prepack", *object, weight, bias);
  return Value(Ref<ObjectValue>(object));
}

Value conv2d_prepack(const Tensor& weight, const std::optional<Tensor>& bias, Ints stride, Ints padding, Ints dilation,
                     std::int64_t groups) {
  constexpr const char* kName = "quantized::conv2d_prepack";
  const auto fits = [](Ints values, std::int64_t least) {
    return values.size() == 2 && std::ranges::all_of(values, [&](auto v) { return v >= least && v <= INT32_MAX; });
  };
  if (weight.dim() != 4 || groups < 1 || weight.size(0) % groups != 0 || !fits(stride, 1) || !fits(padding, 0) ||
      !fits(dilation, 1) || weight.size(2) < 1 || weight.size(3) < 1)
    fail_value(std::string(kName) + ": " + describe("weight", weight) + ", stride " + to_string(stride) + ", padding " +
               to_string(padding) + ", dilation " + to_string(dilation) + ", groups " + std::to_string(groups) +
               "; expected [out, in / groups, h, w] and two numbers each");
  auto object = make_ref<ObjectValue>(conv2d_class());
  fill_weight(kName, *object, weight, bias);
  object->slots[kStride] = IntList(stride.begin(), stride.end());
  object->slots[kPadding] = IntList(padding.begin(), padding.end());
  object->slots[kDilation] = IntList(dilation.begin(), dilation.end());
  object->slots[kGroups] = groups;
  return Value(Ref<ObjectValue>(object));
}

Value conv2d_of_state(const Value& state) {
  constexpr std::size_t kNumbers = 11;  // dimensions; stride, padding, dilation and output padding; groups; transposed
  const auto is_list = [](const Value& value, std::size_t size) {
    return value.is_list() && value.to_list().size() == size;
  };
  if (!state.is_tuple() || state.to_tuple().size() != 3 || !is_list(state.to_tuple()[1], 2) ||
      !is_list(state.to_tuple()[2], 1))
    return {};
  const std::vector<Value>& tensors = state.to_tuple()[1].to_list();
  const Value& bias = state.to_tuple()[2].to_list()[0];
  if (!tensors[0].is_tensor() || !tensors[1].is_tensor() || !(bias.is_none() || bias.is_tensor()) ||
      tensors[0].to_tensor().numel() != kNumbers || tensors[0].to_tensor().dtype() != DType::kInt16)
    return {};
  const Tensor given = convert(tensors[0].to_tensor(), DType::kInt64, "conv2d").contiguous();
  const auto* const numbers = given.data<const std::int64_t>();
  if (numbers[0] != 2 || numbers[10] != 0) return {};
  const auto pair = [&](std::size_t at) { return Ints(numbers + at, 2); };
  return conv2d_prepack(tensors[1].to_tensor(), bias.is_none() ? std::nullopt : std::optional(bias.to_tensor()),
                        pair(1), pair(3), pair(5), numbers[9]);
}

Value recurrent_cell_params(const Value& state) {
  static const TypePtr& type = detail::never_destroyed(
      Type::class_of("__torch__.torch.classes.rnn.CellParamsBase", {{"state", Type::of(TypeKind::kAny)}}));
  auto object = make_ref<ObjectValue>(type);
  object->slots[0] = state;
  return Value(Ref<ObjectValue>(object));
}

}  // namespace threadwheel
