// Construction of shared values, dicts, and equality.
#include "ops/value.h"

#include <algorithm>
#include <functional>

namespace threadwheel {

Value::Value(Complex value) : Value(ValueTag::kComplex, make_ref<ComplexValue>(value)) {}
Value::Value(std::string value) : Value(ValueTag::kString, make_ref<StringValue>(std::move(value))) {}
Value::Value(Ref<ListValue> value) : Value(ValueTag::kList, value) {}
Value::Value(Ref<TupleValue> value) : Value(ValueTag::kTuple, value) {}
Value::Value(Ref<DictValue> value) : Value(ValueTag::kDict, value) {}
Value::Value(Ref<ObjectValue> value) : Value(ValueTag::kObject, value) {}
Value::Value(Ref<EnumValue> value) : Value(ValueTag::kEnum, value) {}
Value::Value(Ref<FutureValue> value) : Value(ValueTag::kFuture, value) {}

Value::Value(const IntList& values) : Value(list(std::vector<Value>(values.begin(), values.end()))) {}

Value::Value(std::vector<Tensor> values)
    : Value(list(std::vector<Value>(std::make_move_iterator(values.begin()), std::make_move_iterator(values.end())))) {}

Value::Value(Scalar value) {
  switch (value.category()) {
    case DTypeCategory::kBool: *this = Value(value.to<bool>()); break;
    case DTypeCategory::kInteger: *this = Value(value.to<std::int64_t>()); break;
    case DTypeCategory::kFloating: *this = Value(value.to<double>()); break;
    default: *this = Value(value.to<Complex>());
  }
}

Value Value::list(std::vector<Value> elements) { return make_ref<ListValue>(std::move(elements)); }
Value Value::tuple(std::vector<Value> elements) { return make_ref<TupleValue>(std::move(elements)); }
Value Value::device(std::string name) { return Value(ValueTag::kDevice, make_ref<StringValue>(std::move(name))); }

Complex Value::to_complex() const {
  return is_complex() ? static_cast<const ComplexValue*>(heap_.get())->value : Complex(to_double());
}

Scalar Value::to_scalar() const {
  switch (tag_) {
    case ValueTag::kBool: return to_bool();
    case ValueTag::kInt: return to_int();
    case ValueTag::kDouble: return double_;
    default: return to_complex();
  }
}

IntList Value::to_int_list() const {
  IntList values;
  for (const Value& element : to_list()) values.push_back(element.to_int());
  return values;
}

bool Value::is(const Value& other) const noexcept {
  if (tag_ != other.tag_) return false;
  if (tag_ < ValueTag::kTensor) return int_ == other.int_;  // None has 0 there, a double its bits
  return tag_ == ValueTag::kTensor ? tensor_.is(other.tensor_) : heap_ == other.heap_;
}

bool ValueEqual::operator()(const Value& a, const Value& b) const {
  if (a.is_number() && b.is_number()) return a.to_complex() == b.to_complex();
  if (a.tag() != b.tag()) return false;
  switch (a.tag()) {
    case ValueTag::kString:
    case ValueTag::kDevice: return a.to_string() == b.to_string();
    case ValueTag::kTuple: return std::ranges::equal(a.to_tuple(), b.to_tuple(), *this);
    case ValueTag::kEnum: return a.to_enum().name == b.to_enum().name && equal(a.to_enum().type, b.to_enum().type);
    default: return a.is(b);
  }
}

std::size_t ValueHash::operator()(const Value& value) const {
  // Numbers of different kinds can be equal, so one hash serves all.
  if (value.is_number()) return std::hash<double>()(value.to_complex().real());
  switch (value.tag()) {
    case ValueTag::kString: return std::hash<std::string>()(value.to_string());
    case ValueTag::kTuple: {
      std::size_t hash = 0;
      for (const Value& element : value.to_tuple()) hash = hash * 31 + (*this)(element);
      return hash;
    }
    case ValueTag::kEnum: return std::hash<std::string>()(value.to_enum().name);
    default: return static_cast<std::size_t>(value.tag());
  }
}

Value* DictValue::find(const Value& key) {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &found->second->second;
}

void DictValue::set(const Value& key, Value value) {
  if (Value* const present = find(key)) {
    *present = std::move(value);
    return;
  }
  entries.emplace_back(key, std::move(value));
  index_.emplace(key, std::prev(entries.end()));
}

bool DictValue::erase(const Value& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return false;
  const auto entry = found->second;  // the index goes first: its key may be what `key` refers to
  index_.erase(found);
  entries.erase(entry);
  return true;
}

bool is_instance(const Value& value, const Type& type) {
  const auto all = [](const auto& values, const Type& element) {
    return std::ranges::all_of(values, [&](const Value& each) { return is_instance(each, element); });
  };
  switch (type.kind()) {
    case TypeKind::kAny: return true;
    case TypeKind::kNone: return value.is_none();
    case TypeKind::kBool: return value.is_bool();
    case TypeKind::kInt: return value.is_int();
    case TypeKind::kFloat: return value.is_double();
    case TypeKind::kComplex: return value.is_complex();
    case TypeKind::kNumber: return value.is_number();
    case TypeKind::kTensor: return value.is_tensor();
    case TypeKind::kString: return value.is_string();
    case TypeKind::kDevice: return value.tag() == ValueTag::kDevice;
    case TypeKind::kFuture: return value.tag() == ValueTag::kFuture;
    case TypeKind::kList: return value.is_list() && all(value.to_list(), *type.element());
    case TypeKind::kAnyList: return value.is_list();
    case TypeKind::kAnyTuple: return value.is_tuple();
    case TypeKind::kDict:
      return value.is_dict() && std::ranges::all_of(value.to_dict().entries, [&](const auto& entry) {
               return is_instance(entry.first, *type.element(0)) && is_instance(entry.second, *type.element(1));
             });
    case TypeKind::kTuple:
      return value.is_tuple() &&
             std::ranges::equal(value.to_tuple(), type.elements(),
                                [](const Value& v, const TypePtr& t) { return is_instance(v, *t); });
    case TypeKind::kOptional: return value.is_none() || is_instance(value, *type.element());
    case TypeKind::kUnion:
      return std::ranges::any_of(type.elements(), [&](const TypePtr& each) { return is_instance(value, *each); });
    case TypeKind::kClass: return value.is_object() && value.to_object().type->name() == type.name();
    case TypeKind::kEnum: return value.tag() == ValueTag::kEnum && value.to_enum().type->name() == type.name();
    default: return false;
  }
}

}  // namespace threadwheel
