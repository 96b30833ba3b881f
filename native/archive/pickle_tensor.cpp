// Tensors from storages, every number checked: a view that passes lies inside its storage.
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "archive/pickle_item.h"

namespace threadwheel::archive {
namespace {

// torch's own limit.
constexpr std::size_t kMaxRank = 64;

// The integers of a tuple.
Dims to_dims(const Item& item, const char* what, const Site& site) {
  const auto* const tuple = value_of<Tuple>(item);
  if (tuple == nullptr)
    site.refuse(std::string("a tensor's ") + what + " are " + describe(item) + "; expected a tuple of ints");
  if (tuple->items.size() > kMaxRank)
    site.refuse("a tensor has " + std::to_string(tuple->items.size()) + " " + what + "; at most " +
                std::to_string(kMaxRank) + " are allowed");
  Dims dims(tuple->items.size());
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const auto* const value = tuple->items[i]->as<std::int64_t>();
    if (value == nullptr) site.refuse(std::string("a tensor's ") + what + " are not all ints");
    if (*value < 0)
      site.refuse(std::string("one of a tensor's ") + what + " is " + std::to_string(*value) +
                  "; it must be 0 or more");
    dims[i] = *value;
  }
  return dims;
}

// How many elements of the storage the view needs from its offset on; nothing when the number does not fit.
std::optional<std::int64_t> extent(const Dims& sizes, const Dims& strides) {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) return 0;
    std::int64_t step = 0;
    if (__builtin_mul_overflow(sizes[i] - 1, strides[i], &step) || __builtin_add_overflow(last, step, &last))
      return std::nullopt;
  }
  return last == std::numeric_limits<std::int64_t>::max() ? std::nullopt : std::optional(last + 1);
}

// Strides of 0 make a huge tensor of a small storage; code that counts its bytes must not overflow.
void check_numel(const Dims& sizes, DType dtype, const Site& site) {
  std::int64_t size_bytes = static_cast<std::int64_t>(dtype_size(dtype));
  bool empty = false, overflow = false;
  for (const std::int64_t size : sizes) {
    empty |= size == 0;
    overflow |= __builtin_mul_overflow(size_bytes, size, &size_bytes);
  }
  if (overflow && !empty) site.refuse("a tensor of sizes " + to_string(sizes) + " does not fit in memory");
}

// The first four arguments, common to all kinds of tensor.
Tensor view(const std::vector<Item>& arguments, const Site& site) {
  const auto* const storage = std::get_if<std::shared_ptr<const TypedStorage>>(&arguments[0]);
  if (storage == nullptr) site.refuse(std::string("a tensor's storage is ") + describe(arguments[0]));
  const auto* const offset = value_of<std::int64_t>(arguments[1]);
  if (offset == nullptr || *offset < 0) site.refuse("a tensor's offset is not an int of 0 or more");
  Dims sizes = to_dims(arguments[2], "sizes", site), strides = to_dims(arguments[3], "strides", site);
  if (sizes.size() != strides.size())
    site.refuse("a tensor has " + std::to_string(sizes.size()) + " sizes and " + std::to_string(strides.size()) +
                " strides");
  const auto [memory, dtype, numel] = **storage;
  check_numel(sizes, dtype, site);
  const auto needed = extent(sizes, strides);
  if (!needed || *offset > numel || *needed > numel - *offset)
    site.refuse("a tensor of sizes " + to_string(sizes) + ", strides " + to_string(strides) + " and offset " +
                std::to_string(*offset) + " reaches past its storage of " + std::to_string(numel) + " elements");
  return Tensor(memory, dtype, *offset, std::move(sizes), std::move(strides));
}

// The arguments behind the view are (requires_grad, hooks) and, in newer archives, a dict of further state: of torch's
// conjugate and negative bits, without which the numbers would be wrong.
void check_rest(const std::vector<Item>& arguments, std::size_t first, const Site& site) {
  if (value_of<bool>(arguments[first]) == nullptr) site.refuse("a tensor's requires_grad is not a bool");
  const auto* const hooks = value_of<Dict>(arguments[first + 1]);
  if (hooks == nullptr || !hooks->items.empty())
    site.refuse("a tensor has backward hooks; expected an empty OrderedDict");
  if (arguments.size() == first + 2) return;
  const auto* const state = value_of<Dict>(arguments[first + 2]);
  if (state == nullptr || !state->items.empty())
    site.refuse("a tensor is a conjugate or negative view; call resolve_conj() and resolve_neg() on it before saving",
                ErrorCode::kUnsupported);
}

void check_count(const std::vector<Item>& arguments, std::size_t least, const char* what, const Site& site) {
  if (arguments.size() != least && arguments.size() != least + 1)
    site.refuse(std::string(what) + " has " + std::to_string(arguments.size()) + " arguments; expected " +
                std::to_string(least) + " or " + std::to_string(least + 1));
}

QuantizedTensor::PerTensor per_tensor(const std::vector<Item>& parts, const Site& site) {
  const auto* const scale = value_of<double>(parts[1]);
  const auto* const zero_point = value_of<std::int64_t>(parts[2]);
  if (parts.size() != 3 || scale == nullptr || zero_point == nullptr)
    site.refuse("a quantized tensor's parameters are not (per_tensor_affine, scale, zero point)");
  if (!std::isfinite(*scale) || *scale <= 0)
    site.refuse("a quantized tensor's scale is " + std::to_string(*scale) + "; it must be positive and finite");
  return {*scale, *zero_point};
}

QuantizedTensor::PerChannel per_channel(const std::vector<Item>& parts, const Tensor& values, const Site& site) {
  if (parts.size() != 4)
    site.refuse("a quantized tensor's parameters are not (per_channel_affine, scales, zero points, axis)");
  const auto* const scales = value_of<Tensor>(parts[1]);
  const auto* const zero_points = value_of<Tensor>(parts[2]);
  const auto* const axis = value_of<std::int64_t>(parts[3]);
  if (scales == nullptr || zero_points == nullptr || axis == nullptr)
    site.refuse("a quantized tensor's parameters are not (per_channel_affine, scales, zero points, axis)");
  if (*axis < 0 || *axis >= values.dim())
    site.refuse("a quantized tensor's axis is " + std::to_string(*axis) + "; it must be in [0, " +
                std::to_string(values.dim()) + ")");
  const bool floating = zero_points->dtype() == DType::kFloat32 && scales->dtype() == DType::kFloat32;
  if (!floating && (scales->dtype() != DType::kFloat64 || zero_points->dtype() != DType::kInt64))
    site.refuse(std::string("a quantized tensor has scales of ") + dtype_name(scales->dtype()) +
                " and zero points of " + dtype_name(zero_points->dtype()) +
                "; expected float64 and int64, or float32 both");
  const auto is_vector = [&](const Tensor& tensor) {
    return tensor.dim() == 1 && tensor.size(0) == values.size(static_cast<std::size_t>(*axis));
  };
  if (!is_vector(*scales) || !is_vector(*zero_points))
    site.refuse("a quantized tensor of sizes " + to_string(values.sizes()) + " has scales of sizes " +
                to_string(scales->sizes()) + " and zero points of sizes " + to_string(zero_points->sizes()) +
                "; there must be one for each index of dimension " + std::to_string(*axis));
  return {*scales, *zero_points, *axis};
}

}  // namespace

Node::Value rebuild_tensor(const std::vector<Item>& arguments, const Site& site) {
  check_count(arguments, 6, "_rebuild_tensor_v2", site);
  check_rest(arguments, 4, site);
  Tensor tensor = view(arguments, site);
  if (dtype_info(tensor.dtype()).category == DTypeCategory::kQuantized)
    site.refuse(std::string("a tensor of ") + dtype_name(tensor.dtype()) + " has no scale; expected _rebuild_qtensor");
  return tensor;
}

Node::Value rebuild_quantized(const std::vector<Item>& arguments, const Site& site) {
  check_count(arguments, 7, "_rebuild_qtensor", site);
  check_rest(arguments, 5, site);
  Tensor values = view(arguments, site);
  if (dtype_info(values.dtype()).category != DTypeCategory::kQuantized)
    site.refuse(std::string("a quantized tensor has elements of ") + dtype_name(values.dtype()) +
                "; expected qint8, quint8 or qint32");
  const auto* const parts = std::get_if<std::shared_ptr<const Parts>>(&arguments[4]);
  const auto* const scheme = parts == nullptr || (*parts)->items.size() < 3
                                 ? nullptr
                                 : std::get_if<std::shared_ptr<const Global>>(&(*parts)->items[0]);
  if (scheme == nullptr) site.refuse("a quantized tensor's parameters are not a tuple of scheme and numbers");
  if ((*scheme)->callee == Callee::kPerTensor)
    return QuantizedTensor{std::move(values), per_tensor((*parts)->items, site)};
  if ((*scheme)->callee != Callee::kPerChannel)
    site.refuse("a quantized tensor's scheme is " + quote((*scheme)->name) +
                "; expected per_tensor_affine or per_channel_affine");
  auto parameters = per_channel((*parts)->items, values, site);
  return QuantizedTensor{std::move(values), std::move(parameters)};
}

}  // namespace threadwheel::archive
