// Ops on dicts, which keep the order of insertion and are references, as lists are.
#include <string>
#include <tuple>
#include <vector>

#include "ops/families.h"
#include "ops/language/language.h"
#include "ops/language/text.h"

namespace threadwheel {
namespace {

using namespace language;  // NOLINT: the vocabulary of these tables

[[noreturn]] void fail_key(const Value& key) {
  throw Error(ErrorCode::kKey, key.is_tensor() ? "a tensor that is not in the dict" : to_text(key));
}

Value get_key(const Value& dict, const Value& key) {
  const Value* const found = dict.to_dict().find(key);
  if (found == nullptr) fail_key(key);
  return *found;
}

Value get_default(const Value& dict, const Value& key, const Value& other) {
  const Value* const found = dict.to_dict().find(key);
  return found == nullptr ? other : *found;
}

Value get_or_none(const Value& dict, const Value& key) { return get_default(dict, key, Value()); }
void set_key(const Value& dict, const Value& key, const Value& value) { dict.to_dict().set(key, value); }
bool contains_key(const Value& dict, const Value& key) { return dict.to_dict().find(key) != nullptr; }
Int dict_len(const Value& dict) { return static_cast<Int>(dict.to_dict().entries.size()); }

Value set_default(const Value& dict, const Value& key, const Value& value) {
  if (!contains_key(dict, key)) set_key(dict, key, value);
  return get_key(dict, key);
}

void delete_key(const Value& dict, const Value& key) {
  if (!dict.to_dict().erase(key)) fail_key(key);
}

Value pop_key(const Value& dict, const Value& key) {
  Value value = get_key(dict, key);
  dict.to_dict().erase(key);
  return value;
}

Value pop_default(const Value& dict, const Value& key, const Value& other) {
  return contains_key(dict, key) ? pop_key(dict, key) : other;
}

// The entry that came last.
Value pop_item(const Value& dict) {
  DictValue& entries = dict.to_dict();
  if (entries.entries.empty()) throw Error(ErrorCode::kKey, "popitem(): dictionary is empty");
  const auto [key, value] = entries.entries.back();
  entries.erase(key);
  return Value::tuple({key, value});
}

void clear_dict(const Value& dict) {
  while (!dict.to_dict().entries.empty()) pop_item(dict);
}

Value keys(const Value& dict) {
  std::vector<Value> result;
  for (const auto& [key, value] : dict.to_dict().entries) result.push_back(key);
  return Value::list(std::move(result));
}

Value values(const Value& dict) {
  std::vector<Value> result;
  for (const auto& [key, value] : dict.to_dict().entries) result.push_back(value);
  return Value::list(std::move(result));
}

Value items(const Value& dict) {
  std::vector<Value> result;
  for (const auto& [key, value] : dict.to_dict().entries) result.push_back(Value::tuple({key, value}));
  return Value::list(std::move(result));
}

void update(const Value& dict, const Value& other) {
  if (dict.is(other)) return;
  for (const auto& [key, value] : other.to_dict().entries) set_key(dict, key, value);
}

Value copy_dict(const Value& dict) {
  const Value copy = make_ref<DictValue>();
  update(copy, dict);
  return copy;
}

Value empty_dict() { return make_ref<DictValue>(); }

Value dict_of_pairs(const Value& pairs) {
  const Value dict = make_ref<DictValue>();
  for (const Value& pair : pairs.to_list()) set_key(dict, pair.to_tuple()[0], pair.to_tuple()[1]);
  return dict;
}

constexpr OpDefinition kOps[] = {
    define_op<set_default>(
        "aten::setdefault.str(Dict(str, t)(a!) self, str(b -> *) key, t(c -> *) default_value) -> t(*)"),
    define_op<set_default>(
        "aten::setdefault.int(Dict(int, t)(a!) self, int(b -> *) key, t(c -> *) default_value) -> t(*)"),
    define_op<set_default>(
        "aten::setdefault.bool(Dict(bool, t)(a!) self, bool(b -> *) key, t(c -> *) default_value) -> t(*)"),
    define_op<set_default>(
        "aten::setdefault.float(Dict(float, t)(a!) self, float(b -> *) key, t(c -> *) default_value) -> t(*)"),
    define_op<set_default>(
        "aten::setdefault.complex(Dict(complex, t)(a!) self, complex(b -> *) key, t(c -> *) default_value) -> t(*)"),
    define_op<keys>("aten::keys.str(Dict(str, t) self) -> str[](*)"),
    define_op<keys>("aten::keys.int(Dict(int, t) self) -> int[](*)"),
    define_op<keys>("aten::keys.bool(Dict(bool, t) self) -> bool[](*)"),
    define_op<keys>("aten::keys.float(Dict(float, t) self) -> float[](*)"),
    define_op<keys>("aten::keys.complex(Dict(complex, t) self) -> complex[](*)"),
    define_op<empty_dict>("aten::dict() -> Dict(str, Tensor)"),
    define_op<dict_of_pairs>("aten::dict.str((str, tVal)[] inputs) -> Dict(str, tVal)"),
    define_op<copy_dict>("aten::dict.Dict_str(Dict(str, t)(a) self) -> Dict(str, t)"),
    define_op<dict_of_pairs>("aten::dict.int((int, tVal)[] inputs) -> Dict(int, tVal)"),
    define_op<copy_dict>("aten::dict.Dict_int(Dict(int, t)(a) self) -> Dict(int, t)"),
    define_op<dict_of_pairs>("aten::dict.bool((bool, tVal)[] inputs) -> Dict(bool, tVal)"),
    define_op<copy_dict>("aten::dict.Dict_bool(Dict(bool, t)(a) self) -> Dict(bool, t)"),
    define_op<dict_of_pairs>("aten::dict.float((float, tVal)[] inputs) -> Dict(float, tVal)"),
    define_op<copy_dict>("aten::dict.Dict_float(Dict(float, t)(a) self) -> Dict(float, t)"),
    define_op<dict_of_pairs>("aten::dict.complex((complex, tVal)[] inputs) -> Dict(complex, tVal)"),
    define_op<copy_dict>("aten::dict.Dict_complex(Dict(complex, t)(a) self) -> Dict(complex, t)"),
    define_op<contains_key>("aten::__contains__.str(Dict(str, t) dict, str key) -> bool"),
    define_op<contains_key>("aten::__contains__.int(Dict(int, t) dict, int key) -> bool"),
    define_op<contains_key>("aten::__contains__.bool(Dict(bool, t) dict, bool key) -> bool"),
    define_op<contains_key>("aten::__contains__.float(Dict(float, t) dict, float key) -> bool"),
    define_op<contains_key>("aten::__contains__.complex(Dict(complex, t) dict, complex key) -> bool"),
    define_op<dict_len>("aten::len.Dict_str(Dict(str, t) self) -> int"),
    define_op<dict_len>("aten::len.Dict_int(Dict(int, t) self) -> int"),
    define_op<dict_len>("aten::len.Dict_bool(Dict(bool, t) self) -> int"),
    define_op<dict_len>("aten::len.Dict_float(Dict(float, t) self) -> int"),
    define_op<dict_len>("aten::len.Dict_complex(Dict(complex, t) self) -> int"),
    define_op<pop_key>("aten::pop.Dict_str(Dict(str, t)(a!) self, str key) -> t(*)"),
    define_op<pop_default>("aten::pop.Dict_default_str(Dict(str, t)(a!) self, str key, t default_value) -> t(*)"),
    define_op<pop_key>("aten::pop.Dict_int(Dict(int, t)(a!) self, int key) -> t(*)"),
    define_op<pop_default>("aten::pop.Dict_default_int(Dict(int, t)(a!) self, int key, t default_value) -> t(*)"),
    define_op<pop_key>("aten::pop.Dict_bool(Dict(bool, t)(a!) self, bool key) -> t(*)"),
    define_op<pop_default>("aten::pop.Dict_default_bool(Dict(bool, t)(a!) self, bool key, t default_value) -> t(*)"),
    define_op<pop_key>("aten::pop.Dict_float(Dict(float, t)(a!) self, float key) -> t(*)"),
    define_op<pop_default>("aten::pop.Dict_default_float(Dict(float, t)(a!) self, float key, t default_value) -> t(*)"),
    define_op<pop_key>("aten::pop.Dict_complex(Dict(complex, t)(a!) self, complex key) -> t(*)"),
    define_op<pop_default>(
        "aten::pop.Dict_default_complex(Dict(complex, t)(a!) self, complex key, t default_value) -> t(*)"),
    define_op<delete_key>("aten::Delete.Dict_str(Dict(str, t)(a!) self, str key) -> ()"),
    define_op<delete_key>("aten::Delete.Dict_int(Dict(int, t)(a!) self, int key) -> ()"),
    define_op<delete_key>("aten::Delete.Dict_bool(Dict(bool, t)(a!) self, bool key) -> ()"),
    define_op<delete_key>("aten::Delete.Dict_float(Dict(float, t)(a!) self, float key) -> ()"),
    define_op<delete_key>("aten::Delete.Dict_complex(Dict(complex, t)(a!) self, complex key) -> ()"),
    define_op<clear_dict>("aten::clear.str(Dict(str, t)(a!) self) -> ()"),
    define_op<clear_dict>("aten::clear.int(Dict(int, t)(a!) self) -> ()"),
    define_op<clear_dict>("aten::clear.bool(Dict(bool, t)(a!) self) -> ()"),
    define_op<clear_dict>("aten::clear.float(Dict(float, t)(a!) self) -> ()"),
    define_op<clear_dict>("aten::clear.complex(Dict(complex, t)(a!) self) -> ()"),
    define_op<set_key>("aten::_set_item.str(Dict(str, t)(a!) l, str(b -> *) idx, t(c -> *) v) -> ()"),
    define_op<set_key>("aten::_set_item.int(Dict(int, t)(a!) l, int(b -> *) idx, t(c -> *) v) -> ()"),
    define_op<set_key>("aten::_set_item.bool(Dict(bool, t)(a!) l, bool(b -> *) idx, t(c -> *) v) -> ()"),
    define_op<set_key>("aten::_set_item.float(Dict(float, t)(a!) l, float(b -> *) idx, t(c -> *) v) -> ()"),
    define_op<set_key>("aten::_set_item.complex(Dict(complex, t)(a!) l, complex(b -> *) idx, t(c -> *) v) -> ()"),
    define_op<get_key>("aten::__getitem__.Dict_str(Dict(str, t) self, str key) -> t(*)"),
    define_op<get_key>("aten::__getitem__.Dict_int(Dict(int, t) self, int key) -> t(*)"),
    define_op<get_key>("aten::__getitem__.Dict_bool(Dict(bool, t) self, bool key) -> t(*)"),
    define_op<get_key>("aten::__getitem__.Dict_float(Dict(float, t) self, float key) -> t(*)"),
    define_op<get_key>("aten::__getitem__.Dict_complex(Dict(complex, t) self, complex key) -> t(*)"),
    define_op<items>("aten::items.str(Dict(str, t) self) -> ((str, t)[])"),
    define_op<items>("aten::items.int(Dict(int, t) self) -> ((int, t)[])"),
    define_op<items>("aten::items.bool(Dict(bool, t) self) -> ((bool, t)[])"),
    define_op<items>("aten::items.float(Dict(float, t) self) -> ((float, t)[])"),
    define_op<items>("aten::items.complex(Dict(complex, t) self) -> ((complex, t)[])"),
    define_op<update>("aten::update.str(Dict(str, t)(a!) self, Dict(str, t)(a!) to_add) -> ()"),
    define_op<update>("aten::update.int(Dict(int, t)(a!) self, Dict(int, t)(a!) to_add) -> ()"),
    define_op<update>("aten::update.bool(Dict(bool, t)(a!) self, Dict(bool, t)(a!) to_add) -> ()"),
    define_op<update>("aten::update.float(Dict(float, t)(a!) self, Dict(float, t)(a!) to_add) -> ()"),
    define_op<update>("aten::update.complex(Dict(complex, t)(a!) self, Dict(complex, t)(a!) to_add) -> ()"),
    define_op<pop_item>("aten::popitem.str(Dict(str, t)(a!) self) -> ((str, t))"),
    define_op<pop_item>("aten::popitem.int(Dict(int, t)(a!) self) -> ((int, t))"),
    define_op<pop_item>("aten::popitem.bool(Dict(bool, t)(a!) self) -> ((bool, t))"),
    define_op<pop_item>("aten::popitem.float(Dict(float, t)(a!) self) -> ((float, t))"),
    define_op<pop_item>("aten::popitem.complex(Dict(complex, t)(a!) self) -> ((complex, t))"),
    define_op<get_or_none>("aten::get.str(Dict(str, t) self, str key) -> t(*)?"),
    define_op<get_default>("aten::get.default_str(Dict(str, t) self, str key, t default_value) -> t(*)"),
    define_op<get_or_none>("aten::get.int(Dict(int, t) self, int key) -> t(*)?"),
    define_op<get_default>("aten::get.default_int(Dict(int, t) self, int key, t default_value) -> t(*)"),
    define_op<get_or_none>("aten::get.bool(Dict(bool, t) self, bool key) -> t(*)?"),
    define_op<get_default>("aten::get.default_bool(Dict(bool, t) self, bool key, t default_value) -> t(*)"),
    define_op<get_or_none>("aten::get.float(Dict(float, t) self, float key) -> t(*)?"),
    define_op<get_default>("aten::get.default_float(Dict(float, t) self, float key, t default_value) -> t(*)"),
    define_op<get_or_none>("aten::get.complex(Dict(complex, t) self, complex key) -> t(*)?"),
    define_op<get_default>("aten::get.default_complex(Dict(complex, t) self, complex key, t default_value) -> t(*)"),
    define_op<values>("aten::values.str(Dict(str, t) self) -> t[](*)"),
    define_op<values>("aten::values.int(Dict(int, t) self) -> t[](*)"),
    define_op<values>("aten::values.bool(Dict(bool, t) self) -> t[](*)"),
    define_op<values>("aten::values.float(Dict(float, t) self) -> t[](*)"),
    define_op<values>("aten::values.complex(Dict(complex, t) self) -> t[](*)"),
    define_op<copy_dict>("aten::copy.Dict_str(Dict(str, t)(a) self) -> Dict(str, t)"),
    define_op<copy_dict>("aten::copy.Dict_int(Dict(int, t)(a) self) -> Dict(int, t)"),
    define_op<copy_dict>("aten::copy.Dict_bool(Dict(bool, t)(a) self) -> Dict(bool, t)"),
    define_op<copy_dict>("aten::copy.Dict_float(Dict(float, t)(a) self) -> Dict(float, t)"),
    define_op<copy_dict>("aten::copy.Dict_complex(Dict(complex, t)(a) self) -> Dict(complex, t)"),
};

}  // namespace

std::span<const OpDefinition> language_dict_ops() { return kOps; }

}  // namespace threadwheel
