// The walk over calls, and the walk over values.
#include "passes/reachable.h"

#include <algorithm>

#include "threadwheel/error.h"

namespace threadwheel::passes {

using ir::Node;
using ir::NodeKind;

void Reachable::add(const ir::Graph& graph) {
  for_each_node(graph.top, [this](const Node& node) {
    if (node.kind == NodeKind::kCall || node.kind == NodeKind::kFork) add(node.function);
    if (node.kind == NodeKind::kCallMethod) add_name(node.name);
    if (node.kind == NodeKind::kCreateObject) add_class(*node.output()->type->definition());
  });
}

void Reachable::add(const std::shared_ptr<ir::Function>& function) {
  if (!seen_.insert(function.get()).second) return;
  const ir::Graph* graph = nullptr;
  try {
    graph = &function->graph();
  } catch (const Error&) {
    return;
  }
  functions_.push_back(function);
  add(*graph);
}

void Reachable::add_methods(const ClassDefinition& definition, const std::string& name) {
  if (!definition.find_method) return;
  if (const auto method = std::dynamic_pointer_cast<ir::Function>(definition.find_method(name))) add(method);
}

void Reachable::add_class(const ClassDefinition& definition) {
  if (std::ranges::find(classes_, &definition) != classes_.end()) return;
  classes_.push_back(&definition);
  for (const std::string& name : std::set(names_)) add_methods(definition, name);
}

void Reachable::add_name(const std::string& name) {
  if (!names_.insert(name).second) return;
  for (const ClassDefinition* definition : std::vector(classes_)) add_methods(*definition, name);
}

namespace {

class Collector {
 public:
  void value(const Value& value) {
    if (value.is_tuple()) return all(value.to_tuple());
    if (value.is_list()) {
      if (seen_.insert(&value.to_list()).second) all(value.to_list());
    } else if (value.is_dict()) {
      if (!seen_.insert(&value.to_dict()).second) return;
      for (const auto& [key, entry] : value.to_dict().entries) this->value(entry);
    } else if (value.is_object()) {
      if (!seen_.insert(&value.to_object()).second) return;
      found.emplace_back(&value.to_object());
      all(value.to_object().slots);
    }
  }

  std::vector<Ref<ObjectValue>> found;

 private:
  void all(const std::vector<Value>& values) {
    for (const Value& each : values) value(each);
  }

  std::unordered_set<const void*> seen_;
};

}  // namespace

std::vector<Ref<ObjectValue>> objects_in(const Value& value) {
  Collector collector;
  collector.value(value);
  return std::move(collector.found);
}

}  // namespace threadwheel::passes
