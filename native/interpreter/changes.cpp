// Both programs' objects, walked in step.
#include "interpreter/changes.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "threadwheel/error.h"

namespace threadwheel::interpreter {
namespace {

bool same_tensor(const Tensor& a, const Tensor& b);

bool same_quantizer(const Quantizer* a, const Quantizer* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->scale == b->scale && a->zero_point == b->zero_point && a->axis == b->axis &&
         same_tensor(a->scales, b->scales) && same_tensor(a->zero_points, b->zero_points);
}

bool same_tensor(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  if (a.dtype() != b.dtype() || a.sizes() != b.sizes() || a.strides() != b.strides() ||
      !same_quantizer(a.quantizer().get(), b.quantizer().get()))
    return false;
  if (a.raw_data() == b.raw_data() || a.numel() == 0) return true;
  const Tensor x = a.contiguous(), y = b.contiguous();
  return std::memcmp(x.raw_data(), y.raw_data(), x.size_bytes()) == 0;
}

bool alike(const ObjectValue& a, const ObjectValue& b) {
  const auto &x = a.type->definition()->attributes, &y = b.type->definition()->attributes;
  return a.type->name() == b.type->name() &&
         std::ranges::equal(x, y, [](const auto& one, const auto& other) { return one.name == other.name; });
}

class Comparison {
 public:
  void compare(const ObjectValue& now, const ObjectValue& before) {
    if (!seen_.emplace(&now, &before).second) return;
    const auto& attributes = now.type->definition()->attributes;
    for (std::size_t i = 0; i < now.slots.size(); ++i) {
      const Value &a = now.slots[i], &b = before.slots[i];
      path_.push_back(attributes[i].name);
      if (a.is_object() && b.is_object() && alike(a.to_object(), b.to_object())) {
        compare(a.to_object(), b.to_object());
      } else if (!same(a, b)) {
        changes.push_back({path_, a, attributes[i].type});
      }
      path_.pop_back();
    }
  }

  std::vector<Change> changes;

 private:
  bool same(const Value& a, const Value& b) {
    if (a.tag() != b.tag()) return false;
    const auto same_values = [this](const Value& x, const Value& y) { return same(x, y); };
    switch (a.tag()) {
      case ValueTag::kTensor: return same_tensor(a.to_tensor(), b.to_tensor());
      case ValueTag::kList: return std::ranges::equal(a.to_list(), b.to_list(), same_values);
      case ValueTag::kTuple: return std::ranges::equal(a.to_tuple(), b.to_tuple(), same_values);
      case ValueTag::kDict:
        return std::ranges::equal(a.to_dict().entries, b.to_dict().entries, [this](const auto& x, const auto& y) {
          return same(x.first, y.first) && same(x.second, y.second);
        });
      case ValueTag::kObject: return same_object(a.to_object(), b.to_object());
      case ValueTag::kEnum:
        return a.to_enum().name == b.to_enum().name && a.to_enum().type->name() == b.to_enum().type->name();
      case ValueTag::kComplex:
      case ValueTag::kString:
      case ValueTag::kDevice: return ValueEqual()(a, b);
      default: return a.is(b);
    }
  }

  // Once for each pair: an object may refer to itself, and a difference was found the first time.
  bool same_object(const ObjectValue& a, const ObjectValue& b) {
    if (!seen_.emplace(&a, &b).second) return true;
    return alike(a, b) && std::ranges::equal(a.slots, b.slots, [this](const auto& x, const auto& y) {
             return same(x, y);
           });
  }

  std::vector<std::string> path_;
  std::set<std::pair<const ObjectValue*, const ObjectValue*>> seen_;
};

}  // namespace

std::vector<Change> find_changes(const Object& now, const Object& before) {
  const ObjectValue &a = now.value.to_object(), &b = before.value.to_object();
  if (!alike(a, b))
    throw Error(ErrorCode::kValue, now.definition().name +
                                       ": what it was made of has other attributes now; make the module again");
  Comparison comparison;
  comparison.compare(a, b);
  return std::move(comparison.changes);
}

}  // namespace threadwheel::interpreter
