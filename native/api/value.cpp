// threadwheel/value.h, and values on their way into a program and out of it.
#include "threadwheel/value.h"

#include <string>
#include <utility>
#include <variant>

#include "api/access.h"
#include "threadwheel/error.h"

namespace threadwheel::jit {
namespace {

using detail::Access;
using Inner = threadwheel::Value;
using Kind = Value::Kind;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kNone: return "None";
    case Kind::kBool: return "a bool";
    case Kind::kInt: return "an int";
    case Kind::kDouble: return "a double";
    case Kind::kComplex: return "a complex number";
    case Kind::kString: return "a string";
    case Kind::kTensor: return "a tensor";
    case Kind::kList: return "a list";
    case Kind::kTuple: return "a tuple";
    case Kind::kDict: return "a dict";
  }
  return "";
}

// Of a value that holds one of the public kinds.
Kind kind_of(const Inner& value) {
  switch (value.tag()) {
    case ValueTag::kBool: return Kind::kBool;
    case ValueTag::kInt: return Kind::kInt;
    case ValueTag::kDouble: return Kind::kDouble;
    case ValueTag::kComplex: return Kind::kComplex;
    case ValueTag::kString: return Kind::kString;
    case ValueTag::kTensor: return Kind::kTensor;
    case ValueTag::kList: return Kind::kList;
    case ValueTag::kTuple: return Kind::kTuple;
    case ValueTag::kDict: return Kind::kDict;
    default: return Kind::kNone;
  }
}

const Inner& expect(const Value& value, Kind kind) {
  if (value.kind() != kind)
    throw Error(ErrorCode::kType, std::string("value: it is ") + name_of(value.kind()) + ", not " + name_of(kind));
  return Access::get(value);
}

std::vector<Inner> unwrapped(const std::vector<Value>& values) {
  std::vector<Inner> inner;
  inner.reserve(values.size());
  for (const Value& each : values) inner.push_back(Access::get(each));
  return inner;
}

std::vector<Value> wrapped(const std::vector<Inner>& values) {
  std::vector<Value> outer;
  outer.reserve(values.size());
  for (const Inner& each : values) outer.push_back(Access::wrap(each));
  return outer;
}

}  // namespace

const Inner& Access::get(const Value& value) {
  static const Inner none;
  return value.body_ == nullptr ? none : value.body_->value;
}

Value::Value(Kind kind, std::int64_t number)
    : Value(Access::wrap(kind == Kind::kBool ? Inner(number != 0) : Inner(number))) {}

void Value::refuse_negative() const {
  if (to_int() < 0)
    throw Error(ErrorCode::kValue, "int: " + std::to_string(static_cast<std::uint64_t>(to_int())) +
                                       " does not fit in 64 bits with a sign; use a smaller number");
}

Value::Value(double value) : Value(Access::wrap(Inner(value))) {}
Value::Value(std::complex<double> value) : Value(Access::wrap(Inner(value))) {}
Value::Value(std::string value) : Value(Access::wrap(Inner(std::move(value)))) {}
Value::Value(Tensor value) : Value(Access::wrap(Inner(Access::get(value)))) {}

Value Value::list(const std::vector<Value>& elements) { return Access::wrap(Inner::list(unwrapped(elements))); }
Value Value::tuple(const std::vector<Value>& elements) { return Access::wrap(Inner::tuple(unwrapped(elements))); }

Value Value::dict(const std::vector<Entry>& entries) {
  auto dict = make_ref<DictValue>();
  for (const auto& [key, value] : entries) {
    const Kind kind = key.kind();
    if (kind != Kind::kBool && kind != Kind::kInt && kind != Kind::kDouble && kind != Kind::kString)
      throw Error(ErrorCode::kType, std::string("value: a key of a dict is ") + name_of(kind) +
                                        "; expected a bool, an int, a double or a string");
    dict->set(Access::get(key), Access::get(value));
  }
  return Access::wrap(Inner(std::move(dict)));
}

Kind Value::kind() const noexcept { return kind_of(Access::get(*this)); }

bool Value::to_bool() const { return expect(*this, Kind::kBool).to_bool(); }
std::int64_t Value::to_int() const { return expect(*this, Kind::kInt).to_int(); }
double Value::to_double() const { return expect(*this, kind() == Kind::kInt ? Kind::kInt : Kind::kDouble).to_double(); }
std::complex<double> Value::to_complex() const {
  const bool real = kind() == Kind::kInt || kind() == Kind::kDouble;
  return expect(*this, real ? kind() : Kind::kComplex).to_complex();
}
std::string Value::to_string() const { return expect(*this, Kind::kString).to_string(); }
Tensor Value::to_tensor() const { return Access::wrap(expect(*this, Kind::kTensor).to_tensor()); }
std::vector<Value> Value::to_list() const { return wrapped(expect(*this, Kind::kList).to_list()); }
std::vector<Value> Value::to_tuple() const { return wrapped(expect(*this, Kind::kTuple).to_tuple()); }

std::vector<Value::Entry> Value::to_dict() const {
  std::vector<Entry> entries;
  for (const auto& [key, value] : expect(*this, Kind::kDict).to_dict().entries)
    entries.emplace_back(Access::wrap(key), Access::wrap(value));
  return entries;
}

// --- into a program ------------------------------------------------------------------------------------

namespace detail {
namespace {

using interpreter::Converted;

std::string mismatch(const std::string& expected, const Inner& given) {
  return "must be " + expected + ", not " + name_of(kind_of(given));
}

Converted to_sequence(const Type& type, const Inner& given) {
  if (!given.is_list() && !given.is_tuple()) return mismatch("a list or tuple", given);
  const std::vector<Inner>& elements = given.is_list() ? given.to_list() : given.to_tuple();
  const bool is_list = type.is(TypeKind::kList);
  if (!is_list && elements.size() != type.elements().size())
    return "must be a tuple of " + std::to_string(type.elements().size()) + ", not of " +
           std::to_string(elements.size());
  std::vector<Inner> values;
  for (const Inner& each : elements) {
    Converted converted = to_argument(*type.element(is_list ? 0 : values.size()), each);
    if (const auto* const problem = std::get_if<std::string>(&converted))
      return "element " + std::to_string(values.size()) + " " + *problem;
    values.push_back(std::get<Inner>(std::move(converted)));
  }
  return is_list ? Inner::list(std::move(values)) : Inner::tuple(std::move(values));
}

Converted to_dict(const Type& type, const Inner& given) {
  if (!given.is_dict()) return mismatch("a dict", given);
  auto dict = make_ref<DictValue>();
  for (const auto& [name, entry] : given.to_dict().entries) {
    Converted key = to_argument(*type.element(0), name), value = to_argument(*type.element(1), entry);
    if (std::holds_alternative<std::string>(key)) return "key " + std::get<std::string>(key);
    if (std::holds_alternative<std::string>(value)) return "entry " + std::get<std::string>(value);
    dict->set(std::get<Inner>(key), std::get<Inner>(std::move(value)));
  }
  return Inner(std::move(dict));
}

Converted to_union(const Type& type, const Inner& given) {
  for (const TypePtr& each : type.elements())
    if (Converted converted = to_argument(*each, given); std::holds_alternative<Inner>(converted)) return converted;
  return mismatch(type.to_string(), given);
}

}  // namespace

Converted to_argument(const Type& type, const Inner& given) {
  const auto checked = [&](bool fits) { return fits ? Converted(given) : mismatch(type.to_string(), given); };
  switch (type.kind()) {
    case TypeKind::kAny: return to_result("value", given);  // a copy: what C++ gives has a form in C++
    case TypeKind::kNone: return checked(given.is_none());
    case TypeKind::kOptional: return given.is_none() ? Converted(given) : to_argument(*type.element(), given);
    case TypeKind::kUnion: return to_union(type, given);
    case TypeKind::kList:
    case TypeKind::kTuple: return to_sequence(type, given);
    case TypeKind::kDict: return to_dict(type, given);
    case TypeKind::kTensor: return checked(given.is_tensor());
    case TypeKind::kNumber: return checked(given.is_number());
    case TypeKind::kBool: return checked(given.is_bool());
    case TypeKind::kInt: return checked(given.is_int());
    case TypeKind::kFloat: return given.is_int() ? Inner(given.to_double()) : checked(given.is_double());
    case TypeKind::kComplex:
      return given.is_number() && !given.is_bool() ? Inner(given.to_complex()) : checked(false);
    case TypeKind::kString: return checked(given.is_string());
    case TypeKind::kDevice: return given.is_string() ? Inner::device(given.to_string()) : checked(false);
    default: return "is of type " + type.to_string() + ", which C++ cannot pass yet";
  }
}

// --- out of a program ----------------------------------------------------------------------------------

Inner to_result(const std::string& where, const Inner& value) {
  const auto each_of = [&](const std::vector<Inner>& elements) {
    std::vector<Inner> copies;
    copies.reserve(elements.size());
    for (const Inner& each : elements) copies.push_back(to_result(where, each));
    return copies;
  };
  switch (value.tag()) {
    case ValueTag::kDevice: return value.to_string();
    case ValueTag::kList: return Inner::list(each_of(value.to_list()));
    case ValueTag::kTuple: return Inner::tuple(each_of(value.to_tuple()));
    case ValueTag::kDict: {
      auto dict = make_ref<DictValue>();
      for (const auto& [key, entry] : value.to_dict().entries)
        dict->set(to_result(where, key), to_result(where, entry));
      return dict;
    }
    case ValueTag::kObject:
    case ValueTag::kEnum:
    case ValueTag::kFuture: {
      const std::string what = value.is_object()                     ? "an object of " + value.to_object().type->name()
                               : value.tag() == ValueTag::kEnum ? "a member of " + value.to_enum().type->name()
                                                                : std::string("a future");
      throw Error(ErrorCode::kUnsupported, where + ": the result holds " + what +
                                               ", which has no form in C++; return tensors, numbers, strings, lists, "
                                               "tuples or dicts of them");
    }
    default: return value;
  }
}

}  // namespace detail
}  // namespace threadwheel::jit
