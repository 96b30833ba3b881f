// Builder: appends nodes at the end of a block, each with the place in the source that it comes from.
#pragma once

#include <utility>
#include <vector>

#include "ir/graph.h"

namespace threadwheel::ir {

class Builder {
 public:
  explicit Builder(Block* block) : block_(block) {}

  Block* block() const noexcept { return block_; }
  void set_block(Block* block) noexcept { block_ = block; }
  void set_range(Range range) { range_ = std::move(range); }
  const Range& range() const noexcept { return range_; }

  Node* node(NodeKind kind, std::vector<Variable*> inputs = {}) {
    Node* const made = block_->append(kind);
    made->inputs = std::move(inputs);
    made->range = range_;
    return made;
  }

  Variable* value(NodeKind kind, std::vector<Variable*> inputs, TypePtr type) {
    return node(kind, std::move(inputs))->add_output(std::move(type));
  }

  Variable* constant(Value value, TypePtr type) {
    Node* const made = node(NodeKind::kConstant);
    made->constant = std::move(value);
    return made->add_output(std::move(type));
  }
  Variable* none() { return constant({}, Type::of(TypeKind::kNone)); }
  Variable* integer(std::int64_t value) { return constant(value, Type::of(TypeKind::kInt)); }
  Variable* boolean(bool value) { return constant(value, Type::of(TypeKind::kBool)); }
  Variable* string(std::string value) { return constant(std::move(value), Type::of(TypeKind::kString)); }

  Variable* list(std::vector<Variable*> elements, TypePtr element) {
    return value(NodeKind::kList, std::move(elements), Type::list(std::move(element)));
  }
  Variable* tuple(std::vector<Variable*> elements, TypePtr type = nullptr) {
    if (type == nullptr) {
      std::vector<TypePtr> types;
      for (const Variable* element : elements) types.push_back(element->type);
      type = Type::tuple(std::move(types));
    }
    return value(NodeKind::kTuple, std::move(elements), std::move(type));
  }
  Variable* tuple_index(Variable* tuple, std::int64_t index) {
    Node* const made = node(NodeKind::kTupleIndex, {tuple});
    made->index = index;
    return made->add_output(tuple->type->element(static_cast<std::size_t>(index)));
  }
  std::vector<Variable*> unpack(Variable* tuple, const std::vector<TypePtr>& types) {
    Node* const made = node(NodeKind::kUnpack, {tuple});
    std::vector<Variable*> elements;
    for (const TypePtr& type : types) elements.push_back(made->add_output(type));
    return elements;
  }
  // The same value as one of a wider or narrower type.
  Variable* cast(Variable* variable, TypePtr type) { return value(NodeKind::kCast, {variable}, std::move(type)); }

 private:
  Block* block_;
  Range range_;
};

}  // namespace threadwheel::ir
