// The registry over the families' tables, filled at its first use: no global constructors.
#include "ops/registry.h"

#include <algorithm>

#include "ops/families.h"
#include "parallel/never_destroyed.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

constexpr std::span<const OpDefinition> (*kFamilies[])() = {
    activation_ops,
    arithmetic_ops,
    bessel_ops,
    cast_ops,
    comparison_ops,
    logic_ops,
    math_ops,
    polynomial_ops,
    special_ops,
    extreme_ops,
    scan_ops,
    series_ops,
    set_ops,
    softmax_ops,
    sorting_ops,
    statistics_ops,
    sum_ops,
    copy_ops,
    join_ops,
    padding_ops,
    split_ops,
    view_ops,
    gather_ops,
    indexing_ops,
    lookup_ops,
    mask_ops,
    factory_ops,
    random_ops,
    decomposition_ops,
    distance_ops,
    einsum_ops,
    product_ops,
    orthogonal_ops,
    spectral_ops,
    singular_ops,
    symmetric_ops,
    fft_ops,
    window_ops,
    attention_ops,
    convolution_ops,
    detection_ops,
    dropout_ops,
    fused_ops,
    loss_ops,
    nested_ops,
    normalization_ops,
    patch_ops,
    pooling_ops,
    recurrent_ops,
    resampling_ops,
    quantized_arithmetic_ops,
    quantized_layer_ops,
    quantized_product_ops,
    quantized_recurrent_ops,
    quantized_tensor_ops,
    language_comparison_ops,
    language_dict_ops,
    language_list_ops,
    language_math_ops,
    language_string_ops,
    language_tensor_ops,
    text_ops,
};

void check_kernel(const Schema& schema, const OpDefinition& definition) {
  const auto matches = [](const char* kind, const SchemaArgument& argument) {
    return std::string_view(kind) == detail::kAnyKind || kind == argument.type.kind();
  };
  if (schema.variadic || std::ranges::equal(definition.kinds, schema.arguments, matches)) return;
  std::string kinds;
  for (const char* kind : definition.kinds) kinds += (kinds.empty() ? "" : ", ") + std::string(kind);
  throw Error(ErrorCode::kRuntime, "schema '" + std::string(definition.schema) + "': the kernel takes (" + kinds +
                                       "); its parameters must correspond to the schema's");
}

}  // namespace

std::string_view Op::name() const noexcept {
  const std::string_view text = definition_.schema;
  return text.substr(0, text.find_first_of(".("));
}

const Schema& Op::schema() const {
  std::call_once(parsed_, [this] {
    auto schema = std::make_unique<const Schema>(parse_schema(definition_.schema));
    check_kernel(*schema, definition_);
    schema_ = std::move(schema);
  });
  return *schema_;
}

Value Op::call(std::span<const Value> arguments) const {
  std::vector<const Value*> pointers;
  for (const Value& argument : arguments) pointers.push_back(&argument);
  return call(Arguments(pointers));
}

Registry::Registry() {
  for (const auto family : kFamilies)
    for (const OpDefinition& definition : family()) {
      ops_.push_back(std::make_unique<Op>(definition));
      by_name_[ops_.back()->name()].push_back(ops_.back().get());
    }
}

const Registry& Registry::instance() {
  static const Registry& registry = detail::never_destroyed(Registry());
  return registry;
}

std::span<const Op* const> Registry::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::span<const Op* const>() : std::span<const Op* const>(found->second);
}

}  // namespace threadwheel
