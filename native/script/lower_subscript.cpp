// Lowering of indices: what is read, assigned, augmented and deleted by them.
#include <algorithm>

#include "script/lowering.h"
#include "threadwheel/error.h"

namespace threadwheel::script {
namespace {

// Whether a part of a tensor's index takes up a dimension.
bool takes_dimension(const Expr& part) { return part.kind != ExprKind::kNone && part.kind != ExprKind::kEllipsis; }

bool is_constant(const Expr& expr) {
  return expr.kind == ExprKind::kInt || expr.kind == ExprKind::kSlice || expr.kind == ExprKind::kUnary;
}

}  // namespace

ir::Variable* Lowering::subscript(const Expr& expr) {
  Variable* const object = expression(*expr.args[0]);
  const Expr& index = *expr.args[1];
  if (object->type->is(TypeKind::kTuple)) return tuple_subscript(object, index);
  if (object->type->is(TypeKind::kTensor)) {
    const Indexed where = indexed(object, index);
    return where.indices.empty() ? where.tensor : op("aten::index", {{where.tensor, tensor_index_list(where)}, {}});
  }
  if (object->type->is(TypeKind::kClass)) {
    const ClassDefinition& definition = *object->type->definition();
    if (definition.is_module && index.kind == ExprKind::kInt)  // of nn.Sequential and ModuleList
      return attribute_of(object, std::to_string(index.integer), expr.range);
    return call_function(find_method(*object, "__getitem__", expr.range), {{object, expression(index)}, {}});
  }
  if (index.kind == ExprKind::kSlice) return sequence_slice(object, index);
  return op("aten::__getitem__", {{object, expression(index)}, {}});
}

ir::Variable* Lowering::sequence_slice(Variable* object, const Expr& index) {
  const auto part = [&](std::size_t i) { return index.args[i] ? expression(*index.args[i]) : builder_.none(); };
  Variable *const begin = part(0), *const end = part(1);
  return op("aten::slice",
            {{object, begin, end, index.args[2] ? expression(*index.args[2]) : builder_.integer(1)}, {}});
}

ir::Variable* Lowering::tuple_subscript(Variable* object, const Expr& index) {
  const auto size = static_cast<std::int64_t>(object->type->elements().size());
  if (!is_constant(index)) {  // of elements of one type, by an index that is known when it runs
    const TypePtr element = size > 0 ? object->type->element() : Type::of(TypeKind::kNever);
    Variable* const list = convert(builder_, object, Type::list(element));
    if (list == nullptr)
      ir::fail(index.range,
               "the elements of this " + object->type->to_string() +
                   " are of different types; expected an index that is a constant int",
               ErrorCode::kType);
    return op("aten::__getitem__", {{list, expression(index)}, {}});
  }
  const auto position = [&](const Expr& part) {
    const Value value = constant_value(part, unit_);
    if (!value.is_int()) ir::fail(part.range, "the index of a tuple must be a constant int");
    return value.to_int() < 0 ? value.to_int() + size : value.to_int();
  };
  if (index.kind == ExprKind::kSlice) {
    const std::int64_t begin = index.args[0] ? std::max<std::int64_t>(0, position(*index.args[0])) : 0;
    const std::int64_t end = index.args[1] ? std::min(size, position(*index.args[1])) : size;
    std::vector<Variable*> elements;
    for (std::int64_t i = begin; i < end; ++i) elements.push_back(builder_.tuple_index(object, i));
    return builder_.tuple(std::move(elements));
  }
  const std::int64_t at = position(index);
  if (at < 0 || at >= size)
    ir::fail(index.range, "index " + std::to_string(at) + " is outside a tuple of " + std::to_string(size));
  return builder_.tuple_index(object, at);
}

// Ints, slices and None are taken one dimension after the other; tensors and lists are kept for one aten::index.
Lowering::Indexed Lowering::indexed(Variable* tensor, const Expr& index) {
  std::vector<const Expr*> parts{&index};
  if (index.kind == ExprKind::kTuple) {
    parts.clear();
    for (const ExprPtr& part : index.args) parts.push_back(part.get());
  }
  Indexed where{tensor, {}};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i]->kind != ExprKind::kEllipsis) {
      take_part(where, *parts[i], i + 1 == parts.size());
      continue;
    }
    where.dim = -std::count_if(parts.begin() + static_cast<std::ptrdiff_t>(i), parts.end(),
                               [](const Expr* each) { return takes_dimension(*each); });
    where.from_end = true;
  }
  return where;
}

ir::Variable* Lowering::dim_value(const Indexed& where, std::int64_t dim) {
  Variable* const counted = builder_.integer(dim);
  return where.beyond == nullptr || where.from_end ? counted : op("aten::add", {{counted, where.beyond}, {}});
}

void Lowering::take_part(Indexed& where, const Expr& part, bool is_last) {
  if (part.kind == ExprKind::kNone) {
    Variable* const dim = dim_value(where, where.from_end ? where.dim - 1 : where.dim++);
    where.tensor = op("aten::unsqueeze", {{where.tensor, dim}, {}});
    return;
  }
  if (part.kind == ExprKind::kSlice) {
    const auto bound = [&](std::size_t at) { return part.args[at] ? expression(*part.args[at]) : builder_.none(); };
    Variable *const begin = bound(0), *const end = bound(1);
    Variable* const step = part.args[2] ? expression(*part.args[2]) : builder_.integer(1);
    where.tensor = op("aten::slice", {{where.tensor, dim_value(where, where.dim++), begin, end, step}, {}});
    return;
  }
  Variable* const value = expression(part);
  if (!value->type->is(TypeKind::kInt)) return take_tensor(where, value, part.range, is_last);
  where.tensor = op("aten::select", {{where.tensor, dim_value(where, where.dim), value}, {}});
  if (where.from_end) ++where.dim;
}

void Lowering::take_tensor(Indexed& where, Variable* index, const Range& range, bool is_last) {
  if (where.from_end)
    ir::fail(range, "a tensor after '...' in an index is not supported; write ':' for each dimension",
             ErrorCode::kUnsupported);
  if (index->type->is(TypeKind::kList)) index = op("aten::tensor", {{index}, {}});
  if (!is_subtype(index->type, Type::optional(Type::of(TypeKind::kTensor))))
    ir::fail(range, "a tensor has no index of type " + index->type->to_string() +
                        "; expected ints, slices, None, '...', tensors or lists",
             ErrorCode::kType);
  where.indices.resize(static_cast<std::size_t>(where.dim), nullptr);
  where.indices.push_back(index);
  ++where.dim;
  if (is_last) return;
  Variable* const more = op("prim::mask_dims", {{index}, {}});
  where.beyond = where.beyond == nullptr ? more : op("aten::add", {{where.beyond, more}, {}});
}

ir::Variable* Lowering::tensor_index_list(const Indexed& where) {
  const TypePtr element = Type::optional(Type::of(TypeKind::kTensor));
  std::vector<Variable*> indices;
  for (Variable* index : where.indices)
    indices.push_back(as_type(index != nullptr ? index : builder_.none(), element, builder_.range()));
  return builder_.list(std::move(indices), element);
}

void Lowering::assign_subscript(const Expr& target, Variable* value) {
  Variable* const object = expression(*target.args[0]);
  const Expr& index = *target.args[1];
  if (object->type->is(TypeKind::kClass)) {
    call_function(find_method(*object, "__setitem__", target.range), {{object, expression(index), value}, {}});
    return;
  }
  if (!object->type->is(TypeKind::kTensor)) {
    if (index.kind == ExprKind::kSlice)
      ir::fail(target.range, "a slice of a list cannot be assigned to; assign the elements", ErrorCode::kUnsupported);
    if (object->type->is(TypeKind::kList)) value = as_type(value, object->type->element(), target.range);
    if (object->type->is(TypeKind::kDict)) value = as_type(value, object->type->element(1), target.range);
    op("aten::_set_item", {{object, expression(index), value}, {}});
    return;
  }
  const Indexed where = indexed(object, index);
  const bool is_tensor = value->type->is(TypeKind::kTensor);
  if (where.indices.empty()) {
    op(is_tensor ? "aten::copy_" : "aten::fill_", {{where.tensor, value}, {}});
    return;
  }
  if (!is_tensor) value = op("aten::tensor", {{value}, {{"dtype", op("prim::dtype", {{object}, {}})}}});
  op("aten::index_put_", {{where.tensor, tensor_index_list(where), value}, {}});
}

// The index is evaluated once.
void Lowering::augment_subscript(const Expr& target, const std::string& text, const Expr& value_expr) {
  Variable* const object = expression(*target.args[0]);
  const Expr& index = *target.args[1];
  if (!object->type->is(TypeKind::kTensor)) {
    Variable* const at = expression(index);
    Variable* const before = op("aten::__getitem__", {{object, at}, {}});
    op("aten::_set_item", {{object, at, binary_of(text, before, expression(value_expr))}, {}});
    return;
  }
  const Indexed where = indexed(object, index);
  if (where.indices.empty()) {
    op("aten::copy_", {{where.tensor, binary_of(text, where.tensor, expression(value_expr))}, {}});
    return;
  }
  Variable* const indices = tensor_index_list(where);
  Variable* const before = op("aten::index", {{where.tensor, indices}, {}});
  op("aten::index_put_", {{where.tensor, indices, binary_of(text, before, expression(value_expr))}, {}});
}

void Lowering::delete_subscript(const Expr& target) {
  Variable* const object = expression(*target.args[0]);
  op("aten::Delete", {{object, expression(*target.args[1])}, {}});
}

}  // namespace threadwheel::script
