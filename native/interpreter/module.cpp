// From an archive's pickles to values and objects.
#include "interpreter/module.h"

#include <algorithm>
#include <unordered_map>

#include "archive/unpickler.h"
#include "interpreter/execution.h"
#include "ops/quantized/packed.h"
#include "threadwheel/error.h"

namespace threadwheel::interpreter {
namespace {

// Nodes that the pickle refers to twice become one value: lists, dicts and objects keep their identity.
class Reader {
 public:
  Reader(script::Unit& unit, const archive::Archive& archive) : unit_(unit), archive_(archive) {}

  Value read(const archive::NodePtr& node) {
    if (!node->shared) return make(*node);
    const auto found = seen_.find(node.get());
    if (found != seen_.end()) return found->second;
    Value value = make(*node);
    seen_.emplace(node.get(), value);
    return value;
  }

 private:
  Value make(const archive::Node& node) {
    return std::visit([this](const auto& value) { return from(value); }, node.value);
  }

  static Value from(archive::None) { return {}; }
  template <class T>
  static Value from(const T& plain) {  // numbers, strings, tensors
    return plain;
  }
  static Value from(const archive::Device& device) { return Value::device(device.name); }

  static Value from(const archive::QuantizedTensor& tensor) {
    Quantizer quantizer;
    if (const auto* const one = std::get_if<archive::QuantizedTensor::PerTensor>(&tensor.parameters)) {
      quantizer.scale = one->scale;
      quantizer.zero_point = one->zero_point;
    } else {
      const auto& each = std::get<archive::QuantizedTensor::PerChannel>(tensor.parameters);
      quantizer.scales = each.scales;
      quantizer.zero_points = each.zero_points;
      quantizer.axis = each.axis;
    }
    return tensor.values.with_quantizer(std::make_shared<const Quantizer>(std::move(quantizer)));
  }

  std::vector<Value> items(const std::vector<archive::NodePtr>& nodes) {
    std::vector<Value> values;
    for (const archive::NodePtr& node : nodes) values.push_back(read(node));
    return values;
  }
  Value from(const archive::List& list) { return Value::list(items(list.items)); }
  Value from(const archive::Tuple& tuple) { return Value::tuple(items(tuple.items)); }

  Value from(const archive::Dict& dict) {
    auto made = make_ref<DictValue>();
    for (const auto& [key, value] : dict.items) made->set(read(key), read(value));
    return made;
  }

  Value from(const archive::Enum& member) {
    Value found = unit_.enum_with_value(type_of(*member.type_name), read(member.value));
    if (found.is_none())
      throw Error(ErrorCode::kValue, archive_.where() + ": " + *member.type_name + " has no such member");
    return found;
  }

  TypePtr type_of(const std::string& name) {
    if (TypePtr type = unit_.find_type(name)) return type;
    throw Error(ErrorCode::kValue, archive_.where() + ": has no code for the class " + name);
  }

  // Objects of the op library's own classes, from what torch stores for them.
  Value library_object(const archive::Object& object) {
    const Value state = object.state == nullptr ? Value() : read(object.state);
    const std::string& name = *object.type_name;
    if (name.ends_with(".quantized.LinearPackedParamsBase") && state.is_tuple() && state.to_tuple().size() == 2) {
      const Value &weight = state.to_tuple()[0], &bias = state.to_tuple()[1];
      if (weight.is_tensor() && weight.to_tensor().quantizer() != nullptr && (bias.is_none() || bias.is_tensor()))
        return linear_prepack(weight.to_tensor(), bias.is_none() ? std::nullopt : std::optional(bias.to_tensor()));
    }
    if (name.ends_with(".quantized.Conv2dPackedParamsBase"))
      if (Value made = conv2d_of_state(state); !made.is_none()) return made;
    if (name.ends_with(".rnn.CellParamsBase")) return recurrent_cell_params(state);
    throw Error(ErrorCode::kUnsupported, archive_.where() + ": objects of " + name + " are not supported in this form");
  }

  Value from(const archive::Object& object) {
    if (object.type_name->starts_with(kLibraryClasses)) return library_object(object);
    const TypePtr type = type_of(*object.type_name);
    if (type->is(TypeKind::kTuple)) return read(object.state);
    auto made = make_ref<ObjectValue>(type);
    if (object.state == nullptr) return made;
    const ClassDefinition& definition = *type->definition();
    if (const auto restore = unit_.find_method(definition, "__setstate__")) {
      run(restore, {Value(made), read(object.state)});
      return made;
    }
    const archive::Dict* const attributes = object.state->as<archive::Dict>();
    if (attributes == nullptr)
      throw Error(ErrorCode::kValue,
                  archive_.where() + ": the state of " + definition.name + " is not a dict of attributes");
    for (const auto& [key, value] : attributes->items)
      if (const std::string* const name = key->as<std::string>())
        if (const std::int64_t slot = definition.find(*name); slot >= 0)
          made->slots[static_cast<std::size_t>(slot)] = read(value);
    return made;
  }

  script::Unit& unit_;
  const archive::Archive& archive_;
  std::unordered_map<const archive::Node*, Value> seen_;
};

// "__torch__.a.b" is in code/__torch__/a/b.py.
std::shared_ptr<const script::Source> source_of(const archive::Archive& archive, const std::string& qualifier) {
  std::string record = archive.code_folder() + qualifier + ".py";
  std::replace(record.begin() + static_cast<std::ptrdiff_t>(archive.code_folder().size()), record.end() - 3, '.', '/');
  if (!archive.has(record)) return nullptr;
  return std::make_shared<const script::Source>(record, archive.read_text(record));
}

}  // namespace

Object load(std::shared_ptr<archive::Archive> archive, const std::string& model_name) {
  const std::string model = archive->find_model(model_name);
  auto unit = std::make_shared<script::Unit>(
      [archive](const std::string& qualifier) { return source_of(*archive, qualifier); });
  unit->set_version(archive->version());
  Reader reader(*unit, *archive);
  if (archive->has(archive->pickle_folder(model) + "constants.pkl"))
    unit->set_constants(reader.read(archive::unpickle(*archive, "constants", model)).to_tuple());
  Value root = reader.read(archive::unpickle(*archive, "data", model));
  if (!root.is_object()) throw Error(ErrorCode::kValue, archive->where() + ": the root of data.pkl is not a module");
  return {std::move(root), std::move(unit)};
}

}  // namespace threadwheel::interpreter
