// Freezing, in four steps: find the attributes that some method sets; give every method its own graph, with the
// module's objects and all other attributes as constants; find which of those constants something writes; let the
// passes compute with the others.
#include "passes/freeze.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "passes/passes.h"
#include "passes/reachable.h"
#include "passes/uses.h"
#include "threadwheel/error.h"

namespace threadwheel::passes {
namespace {

using ir::Block;
using ir::Function;
using ir::Graph;
using ir::Node;
using ir::NodeKind;
using ir::Variable;

// Attributes, by class: what is done to one object's is taken to be done to all of its class.
using Slots = std::set<std::pair<const ClassDefinition*, std::int64_t>>;

std::pair<const ClassDefinition*, std::int64_t> slot_of(const Node& node) {
  return {node.inputs[0]->type->definition().get(), node.index};
}

// Objects of the op library: they do not change, and only ops see what is in them.
bool is_of_library(const ObjectValue& object) { return object.type->name().starts_with(kLibraryClasses); }

// --- the copy of the module's objects -------------------------------------------------------------------
// Objects of the op library are shared, as tensors are.
class Cloner {
 public:
  Value clone(const Value& value) {
    if (value.is_tuple()) return Value::tuple(all(value.to_tuple()));
    if (value.is_list()) return once(&value.to_list(), [&] { return make_ref<ListValue>(std::vector<Value>()); },
                                     [&](ListValue& made) { made.elements = all(value.to_list()); });
    if (value.is_dict()) return once(&value.to_dict(), [] { return make_ref<DictValue>(); }, [&](DictValue& made) {
                           for (const auto& [key, entry] : value.to_dict().entries) made.set(key, clone(entry));
                         });
    if (!value.is_object() || is_of_library(value.to_object())) return value;
    const ObjectValue& object = value.to_object();
    return once(&object, [&] { return make_ref<ObjectValue>(object.type); },
                [&](ObjectValue& made) { made.slots = all(object.slots); });
  }

 private:
  std::vector<Value> all(const std::vector<Value>& values) {
    std::vector<Value> clones;
    for (const Value& value : values) clones.push_back(clone(value));
    return clones;
  }

  // What is referred to twice is copied once, and may refer to itself.
  template <class Make, class Fill>
  Value once(const void* original, const Make& make, const Fill& fill) {
    const auto [found, is_new] = clones_.try_emplace(original);
    if (!is_new) return found->second;
    const auto made = make();
    clones_[original] = made;
    fill(*made);
    return made;
  }

  std::unordered_map<const void*, Value> clones_;
};

// --- one method's graph -------------------------------------------------------------------------------------
void replace(Block& block, const Variable* from, Variable* to) {
  for (const auto& node : block.nodes) {
    std::ranges::replace(node->inputs, from, to);
    for (const auto& inner : node->blocks) replace(*inner, from, to);
  }
  std::ranges::replace(block.results, from, to);
}

class Specializer {
 public:
  Specializer(const Value& root, const Slots& set) : root_(root), set_(set) {}

  std::unique_ptr<Graph> run(Function& method) const {
    std::unique_ptr<Graph> graph = inline_calls(method, method.graph());
    name_self(*graph);
    for (bool again = true; again;) {
      fold_constants(*graph);
      Found found;
      fold_attributes(graph->top, found);
      if (found.calls) graph = inline_calls(method, *graph);
      again = found.calls || found.attributes;
    }
    remove_dead_code(*graph);
    return graph;
  }

 private:
  struct Found {
    bool attributes = false, calls = false;
  };

  void name_self(Graph& graph) const {
    graph.top.nodes.push_front(std::make_unique<Node>(NodeKind::kConstant, &graph.top));
    Node& self = *graph.top.nodes.front();
    self.constant = root_;
    const Variable* const parameter = graph.top.parameters.at(0).get();
    replace(graph.top, parameter, self.add_output(parameter->type, parameter->name));
  }

  void fold_attributes(Block& block, Found& found) const {
    for (const auto& node : block.nodes) {
      for (const auto& inner : node->blocks) fold_attributes(*inner, found);
      const bool known = !node->inputs.empty() && node->inputs[0]->node != nullptr &&
                         node->inputs[0]->node->kind == NodeKind::kConstant;
      if (!known) continue;
      const Value object = node->inputs[0]->node->constant;
      if (!object.is_object()) continue;
      if (node->kind == NodeKind::kGetAttribute) found.attributes |= fold_attribute(*node, object.to_object());
      if (node->kind == NodeKind::kCallMethod) found.calls |= resolve(*node, object.to_object());
    }
  }

  bool fold_attribute(Node& node, const ObjectValue& object) const {
    if (set_.contains({object.type->definition().get(), node.index})) return false;
    node.kind = NodeKind::kConstant;
    node.constant = object.slots.at(static_cast<std::size_t>(node.index));
    node.inputs.clear();
    node.name.clear();
    return true;
  }

  static bool resolve(Node& node, const ObjectValue& object) {
    const auto& find = object.type->definition()->find_method;
    auto method = find ? std::dynamic_pointer_cast<Function>(find(node.name)) : nullptr;
    if (method == nullptr || method->parameters().size() != node.inputs.size()) return false;
    node.kind = NodeKind::kCall;
    node.function = std::move(method);
    node.name.clear();
    return true;
  }

  const Value& root_;
  const Slots& set_;
};

// --- what is written ------------------------------------------------------------------------------------------
// Memory of tensors, lists and dicts that some function may write or give away.
class Written {
 public:
  explicit Written(const std::vector<Ref<ObjectValue>>& objects) : objects_(objects) {}

  void add(const Graph& graph) {
    const Changes changes(graph);
    for_each_node(graph.top, [&](const Node& node) {
      if (node.kind != NodeKind::kConstant && node.kind != NodeKind::kGetAttribute) return;
      if (!changes.may_change(node.output())) return;
      if (node.kind == NodeKind::kConstant) return add(node.constant);
      for (const auto& object : objects_)
        if (object->type->definition().get() == slot_of(node).first)
          add(object->slots.at(static_cast<std::size_t>(node.index)));
    });
  }

  // Whether nothing that the value refers to is written.
  bool leaves(const Value& value) const {
    const auto all = [this](const std::vector<Value>& values) {
      return std::ranges::all_of(values, [this](const Value& each) { return leaves(each); });
    };
    switch (value.tag()) {
      case ValueTag::kTensor: return !memory_.contains(value.to_tensor().storage().get());
      case ValueTag::kTuple: return all(value.to_tuple());
      case ValueTag::kList: return !memory_.contains(&value.to_list()) && all(value.to_list());
      case ValueTag::kDict: return false;
      case ValueTag::kObject: return is_of_library(value.to_object());
      case ValueTag::kFuture: return false;
      default: return true;
    }
  }

 private:
  // What an object refers to is looked at where its attributes are read.
  void add(const Value& value) {
    if (value.is_tensor()) memory_.insert(value.to_tensor().storage().get());
    if (value.is_list() && memory_.insert(&value.to_list()).second)
      for (const Value& element : value.to_list()) add(element);
    if (value.is_tuple())
      for (const Value& element : value.to_tuple()) add(element);
    if (value.is_dict() && memory_.insert(&value.to_dict()).second)
      for (const auto& [key, entry] : value.to_dict().entries) add(entry);
  }

  const std::vector<Ref<ObjectValue>>& objects_;
  std::unordered_set<const void*> memory_;
};

// --- all together -----------------------------------------------------------------------------------------------
class Freezer {
 public:
  explicit Freezer(const Value& root) : root_(Cloner().clone(root)), objects_(objects_in(root_)) {}

  Frozen run(const std::vector<std::string>& names) {
    for (const std::string& name : names)
      if (auto method = std::dynamic_pointer_cast<Function>(definition().find_method(name)))
        methods_.emplace(name, std::move(method));
    const Slots set = find_set_slots();
    std::map<std::string, std::unique_ptr<Graph>> graphs;
    std::map<std::string, std::exception_ptr> errors;
    for (const auto& [name, method] : methods_) {
      try {
        graphs[name] = Specializer(root_, set).run(*method);
      } catch (const Error&) {
        graphs.erase(name);
        errors[name] = std::current_exception();
      }
    }
    settle(graphs);
    Frozen frozen{root_, {}};
    for (auto& [name, graph] : graphs) {
      run_all(*graph);
      frozen.methods[name] = with_graph(*methods_[name], std::move(graph));
    }
    for (const auto& [name, error] : errors) frozen.methods[name] = that_fails(*methods_[name], error);
    return frozen;
  }

 private:
  const ClassDefinition& definition() const { return *root_.to_object().type->definition(); }

  Reachable reachable() const {
    std::vector<const ClassDefinition*> classes;
    for (const auto& object : objects_) classes.push_back(object->type->definition().get());
    return Reachable(std::move(classes));
  }

  Slots find_set_slots() const {
    Reachable functions = reachable();
    for (const auto& [name, method] : methods_) functions.add(method);
    Slots set;
    for (const auto& function : functions.functions())
      for_each_node(function->graph().top, [&](const Node& node) {
        if (node.kind == NodeKind::kSetAttribute) set.insert(slot_of(node));
      });
    return set;
  }

  // Marks the constants that nothing writes, in these graphs and in what they still call.
  void settle(const std::map<std::string, std::unique_ptr<Graph>>& graphs) const {
    Written written(objects_);
    Reachable called = reachable();
    for (const auto& [name, graph] : graphs) {
      written.add(*graph);
      called.add(*graph);
    }
    for (const auto& function : called.functions()) written.add(function->graph());
    for (const auto& [name, graph] : graphs)
      for_each_node(graph->top, [&](Node& node) {
        if (node.kind == NodeKind::kConstant) node.settled = written.leaves(node.constant);
      });
  }

  static std::shared_ptr<Function> with_graph(const Function& method, std::unique_ptr<Graph> graph) {
    const auto holder = std::make_shared<std::unique_ptr<Graph>>(std::move(graph));
    return std::make_shared<Function>(method.name(), method.parameters(), method.result(),
                                      [holder](Function&) { return std::move(*holder); });
  }

  static std::shared_ptr<Function> that_fails(const Function& method, const std::exception_ptr& error) {
    return std::make_shared<Function>(method.name(), method.parameters(), method.result(),
                                      [error](Function&) -> std::unique_ptr<Graph> { std::rethrow_exception(error); });
  }

  Value root_;
  std::vector<Ref<ObjectValue>> objects_;
  std::map<std::string, std::shared_ptr<Function>> methods_;
};

}  // namespace

Frozen freeze(const Value& root, const std::vector<std::string>& methods) { return Freezer(root).run(methods); }

}  // namespace threadwheel::passes
