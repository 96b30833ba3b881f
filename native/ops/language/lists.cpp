// Ops on lists. A list is a reference: what changes it changes it for all who hold it.
#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "ops/families.h"
#include "ops/language/language.h"
#include "ops/language/text.h"

namespace threadwheel {
namespace {

using namespace language;  // NOLINT: the vocabulary of these tables

using Elements = std::vector<Value>;

bool same(const Value& a, const Value& b) { return ValueEqual()(a, b); }
Elements::iterator find(Elements& list, const Value& value) {
  return std::ranges::find_if(list, [&](const Value& element) { return same(element, value); });
}

Int length(const Value& list) { return static_cast<Int>(list.to_list().size()); }

Value get_item(const Value& list, Int index) {
  const Elements& elements = list.to_list();
  return elements[position(index, elements.size(), "list index out of range")];
}

Value set_item(const Value& list, Int index, const Value& value) {
  Elements& elements = list.to_list();
  elements[position(index, elements.size(), "list assignment index out of range")] = value;
  return list;
}

Value append(const Value& list, const Value& value) {
  list.to_list().push_back(value);
  return list;
}

Value extend(const Value& list, const Value& other) {
  const Elements more = other.to_list();  // a copy: the two may be one list
  list.to_list().insert(list.to_list().end(), more.begin(), more.end());
  return list;
}

void extend_in_place(const Value& list, const Value& other) { extend(list, other); }

void insert(const Value& list, Int index, const Value& value) {
  Elements& elements = list.to_list();
  const auto size = static_cast<Int>(elements.size());
  elements.insert(elements.begin() + std::clamp(index < 0 ? index + size : index, Int{0}, size), value);
}

Value pop(const Value& list, Int index) {
  Elements& elements = list.to_list();
  if (elements.empty()) throw Error(ErrorCode::kIndex, "pop from empty list");
  const auto at =
      elements.begin() + static_cast<std::ptrdiff_t>(position(index, elements.size(), "pop index out of range"));
  Value value = std::move(*at);
  elements.erase(at);
  return value;
}

void delete_item(const Value& list, Int index) {
  Elements& elements = list.to_list();
  elements.erase(elements.begin() +
                 static_cast<std::ptrdiff_t>(position(index, elements.size(), "list assignment index out of range")));
}

void clear(const Value& list) { list.to_list().clear(); }
void reverse(const Value& list) { std::ranges::reverse(list.to_list()); }
Value copy(const Value& list) { return Value::list(list.to_list()); }

void remove(const Value& list, const Value& value) {
  Elements& elements = list.to_list();
  const auto at = find(elements, value);
  if (at == elements.end()) throw Error(ErrorCode::kValue, "list.remove(x): x not in list");
  elements.erase(at);
}

Int index_of(const Value& list, const Value& value) {
  const auto at = find(list.to_list(), value);
  if (at == list.to_list().end()) throw Error(ErrorCode::kValue, "'" + to_text(value) + "' is not in list");
  return at - list.to_list().begin();
}

bool contains(const Value& list, const Value& value) { return find(list.to_list(), value) != list.to_list().end(); }

Int count(const Value& list, const Value& value) {
  return std::ranges::count_if(list.to_list(), [&](const Value& element) { return same(element, value); });
}

bool equal(const Value& a, const Value& b) { return std::ranges::equal(a.to_list(), b.to_list(), same); }
bool not_equal(const Value& a, const Value& b) { return !equal(a, b); }

Value slice(const Value& list, std::optional<Int> start, std::optional<Int> end, Int step) {
  const Elements& elements = list.to_list();
  const SliceRange range = slice_range(elements.size(), start, end, step);
  Elements result;
  result.reserve(static_cast<std::size_t>(range.count));
  for (Int i = 0; i < range.count; ++i)
    result.push_back(elements[static_cast<std::size_t>(range.first + i * range.step)]);
  return Value::list(std::move(result));
}

Value concatenate(const Value& a, const Value& b) { return extend(copy(a), b); }

Elements repeated(const Elements& elements, Int times) {
  if (times > 0 && elements.size() > (std::size_t{1} << 40) / static_cast<std::size_t>(times))
    throw Error(ErrorCode::kValue, "list: " + std::to_string(times) + " repeats do not fit in memory");
  Elements result;
  for (Int i = 0; i < times; ++i) result.insert(result.end(), elements.begin(), elements.end());
  return result;
}

Value multiply(const Value& list, Int times) { return Value::list(repeated(list.to_list(), times)); }
Value multiply_right(Int times, const Value& list) { return multiply(list, times); }
Value multiply_(const Value& list, Int times) {
  Elements result = repeated(list.to_list(), times);
  list.to_list() = std::move(result);
  return list;
}

// Numbers, strings, and tuples and lists of them, one after the other.
bool less(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number())
    return a.is_double() || b.is_double() ? a.to_double() < b.to_double() : a.to_int() < b.to_int();
  if (a.is_string() && b.is_string()) return a.to_string() < b.to_string();
  if (a.is_tuple() && b.is_tuple()) return std::ranges::lexicographical_compare(a.to_tuple(), b.to_tuple(), less);
  if (a.is_list() && b.is_list()) return std::ranges::lexicographical_compare(a.to_list(), b.to_list(), less);
  throw Error(ErrorCode::kUnsupported, "sort: values without an order; numbers, strings and tuples of them have one");
}

void sort(const Value& list, bool reverse) {
  // A copy, so that an error leaves the list as it was. Stable both ways, as Python's.
  Elements sorted = list.to_list();
  std::ranges::stable_sort(sorted, [&](const Value& a, const Value& b) { return reverse ? less(b, a) : less(a, b); });
  list.to_list() = std::move(sorted);
}

Value sorted(const Value& list) {
  Value result = copy(list);
  sort(result, false);
  return result;
}

// The first of the greatest (or least) elements.
template <bool Greatest>
Value extreme(const Value& list) {
  const Elements& elements = list.to_list();
  if (elements.empty())
    throw Error(ErrorCode::kValue, std::string(Greatest ? "max" : "min") + "() arg is an empty sequence");
  return Greatest ? *std::max_element(elements.begin(), elements.end(), less)
                  : *std::min_element(elements.begin(), elements.end(), less);
}

template <bool Greatest>
Value extreme_of_two(const Value& a, const Value& b) {
  return (Greatest ? less(a, b) : less(b, a)) ? b : a;
}

Int sum_ints(const Value& list) {
  std::uint64_t total = 0;
  for (const Value& element : list.to_list()) total += static_cast<std::uint64_t>(element.to_int());
  return static_cast<Int>(total);
}
double sum_floats(const Value& list) {
  return std::accumulate(list.to_list().begin(), list.to_list().end(), 0.0,
                         [](double total, const Value& element) { return total + element.to_double(); });
}
Complex sum_complex(const Value& list) {
  return std::accumulate(list.to_list().begin(), list.to_list().end(), Complex(),
                         [](Complex total, const Value& element) { return total + element.to_complex(); });
}

bool truth(const Value& value) { return value.is_string() ? !value.to_string().empty() : value.to_double() != 0; }
bool any(const Value& list) { return std::ranges::any_of(list.to_list(), truth); }
bool all(const Value& list) { return std::ranges::all_of(list.to_list(), truth); }

Value characters(const std::string& text) {
  Elements result;
  for (const char c : text) result.emplace_back(std::string(1, c));
  return Value::list(std::move(result));
}

Value range_list(Int n) {
  Elements result;
  for (Int i = 0; i < n; ++i) result.emplace_back(i);
  return Value::list(std::move(result));
}

constexpr OpDefinition kOps[] = {
    define_op<length>("aten::len.t(t[] a) -> int"),
    define_op<length>("aten::len.any(Any[] a) -> int"),
    define_op<get_item>("aten::__getitem__.t(t[](a) list, int idx) -> t(*)"),
    define_op<get_item>("aten::select.t(t[](a) list, int idx) -> t(*)"),
    define_op<set_item>("aten::_set_item.t(t[](a!) l, int idx, t(b -> *) el) -> t[](a!)"),
    define_op<append>("aten::append.t(t[](a!) self, t(c -> *) el) -> t[](a!)"),
    define_op<extend_in_place>("aten::extend.t(t[](a!) self, t[] other) -> ()"),
    define_op<insert>("aten::insert.t(t[](a!) self, int idx, t(b -> *) el) -> ()"),
    define_op<pop>("aten::pop.t(t[](a!) self, int idx=-1) -> t(*)"),
    define_op<delete_item>("aten::Delete.t(t[](a!) self, int idx) -> ()"),
    define_op<clear>("aten::clear.t(t[](a!) self) -> ()"),
    define_op<reverse>("aten::reverse.t(t[](a!) self) -> ()"),
    define_op<copy>("aten::copy.t(t[](a) self) -> t[]"),
    define_op<copy>("aten::list.t(t[] l) -> t[]"),
    define_op<characters>("aten::list(str t) -> str[]"),
    define_op<copy>("aten::Size(int[] sizes) -> int[]"),
    define_op<remove>("aten::remove.int(int[](a!) self, int el) -> ()"),
    define_op<remove>("aten::remove.float(float[](a!) self, float el) -> ()"),
    define_op<remove>("aten::remove.bool(bool[](a!) self, bool el) -> ()"),
    define_op<remove>("aten::remove.str(str[](a!) self, str el) -> ()"),
    define_op<index_of>("aten::index.list_int(int[] self, int el) -> int"),
    define_op<index_of>("aten::index.list_float(float[] self, float el) -> int"),
    define_op<index_of>("aten::index.list_bool(bool[] self, bool el) -> int"),
    define_op<index_of>("aten::index.list_str(str[] self, str el) -> int"),
    define_op<contains>("aten::__contains__.int_list(int[] l, int item) -> bool"),
    define_op<contains>("aten::__contains__.str_list(str[] l, str item) -> bool"),
    define_op<contains>("aten::__contains__.float_list(float[] l, float item) -> bool"),
    define_op<count>("aten::count.int(int[] self, int el) -> int"),
    define_op<count>("aten::count.float(float[] self, float el) -> int"),
    define_op<count>("aten::count.bool(bool[] self, bool el) -> int"),
    define_op<count>("aten::count.str(str[] self, str el) -> int"),
    define_op<equal>("aten::eq.int_list(int[] a, int[] b) -> bool"),
    define_op<equal>("aten::eq.float_list(float[] a, float[] b) -> bool"),
    define_op<equal>("aten::eq.bool_list(bool[] a, bool[] b) -> bool"),
    define_op<equal>("aten::eq.str_list(str[] a, str[] b) -> bool"),
    define_op<not_equal>("aten::ne.int_list(int[] a, int[] b) -> bool"),
    define_op<not_equal>("aten::ne.float_list(float[] a, float[] b) -> bool"),
    define_op<not_equal>("aten::ne.bool_list(bool[] a, bool[] b) -> bool"),
    define_op<not_equal>("aten::ne.str_list(str[] a, str[] b) -> bool"),
    define_op<slice>("aten::slice.t(t[] l, int? start=None, int? end=None, int step=1) -> t[]"),
    define_op<concatenate>("aten::add.t(t[] a, t[] b) -> t[]"),
    define_op<extend>("aten::add_.t(t[](a!) self, t[] b) -> t[]"),
    define_op<multiply>("aten::mul.left_t(t[] l, int n) -> t[]"),
    define_op<multiply_right>("aten::mul.right_(int n, t[] l) -> t[]"),
    define_op<multiply_>("aten::mul_.t(t[](a!) l, int n) -> t[](a!)"),
    define_op<sort>("aten::sort.int(int[](a!) self, bool reverse=False) -> ()"),
    define_op<sort>("aten::sort.float(float[](a!) self, bool reverse=False) -> ()"),
    define_op<sort>("aten::sort.bool(bool[](a!) self, bool reverse=False) -> ()"),
    define_op<sort>("aten::sort.str(str[](a!) self, bool reverse=False) -> ()"),
    define_op<sort>("aten::sort.any(t[](a!) self, bool reverse=False) -> ()"),
    define_op<sorted>("aten::sorted.int(int[](a) input) -> int[]"),
    define_op<sorted>("aten::sorted.float(float[](a) input) -> float[]"),
    define_op<sorted>("aten::sorted.bool(bool[](a) input) -> bool[]"),
    define_op<sorted>("aten::sorted.str(str[](a) input) -> str[]"),
    define_op<sorted>("aten::sorted.any(t[](a) self) -> t[]"),
    define_op<extreme_of_two<true>>("prim::max.int_list(int[] l, int[] r) -> int[]"),
    define_op<extreme<true>>("prim::max.self_int(int[] self) -> int"),
    define_op<extreme_of_two<true>>("prim::max.float_list(float[] l, float[] r) -> float[]"),
    define_op<extreme<true>>("prim::max.self_float(float[] self) -> float"),
    define_op<extreme_of_two<true>>("prim::max.bool_list(bool[] l, bool[] r) -> bool[]"),
    define_op<extreme<true>>("prim::max.self_bool(bool[] self) -> bool"),
    define_op<extreme_of_two<false>>("prim::min.int_list(int[] l, int[] r) -> int[]"),
    define_op<extreme<false>>("prim::min.self_int(int[] self) -> int"),
    define_op<extreme_of_two<false>>("prim::min.float_list(float[] l, float[] r) -> float[]"),
    define_op<extreme<false>>("prim::min.self_float(float[] self) -> float"),
    define_op<extreme_of_two<false>>("prim::min.bool_list(bool[] l, bool[] r) -> bool[]"),
    define_op<extreme<false>>("prim::min.self_bool(bool[] self) -> bool"),
    define_op<sum_ints>("aten::sum.int(int[] self) -> int"),
    define_op<sum_floats>("aten::sum.float(float[] self) -> float"),
    define_op<sum_complex>("aten::sum.complex(complex[] self) -> complex"),
    define_op<sum_ints>("aten::sum.bool(bool[] self) -> int"),
    define_op<all>("aten::all.int(int[] self) -> bool"),
    define_op<all>("aten::all.float(float[] self) -> bool"),
    define_op<all>("aten::all.bool(bool[] self) -> bool"),
    define_op<any>("aten::any.str(str[] self) -> bool"),
    define_op<any>("aten::any.int(int[] self) -> bool"),
    define_op<any>("aten::any.float(float[] self) -> bool"),
    define_op<any>("aten::any.bool(bool[] self) -> bool"),
    define_op<range_list>("prim::rangelist(int n) -> int[]"),
};

}  // namespace

std::span<const OpDefinition> language_list_ops() { return kOps; }

}  // namespace threadwheel
