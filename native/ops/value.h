// Value: what an op takes and gives, and what a program's variables hold. Two words: numbers are in it, everything
// else is shared. Kernels are typed C++ functions; registry.h has the step between the two.
#pragma once

#include <complex>
#include <cstdint>
#include <list>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "ops/type.h"
#include "tensor/convert.h"
#include "tensor/ref.h"
#include "tensor/tensor.h"
#include "threadwheel/future.h"

namespace threadwheel {

using IntList = std::vector<std::int64_t>;
using Complex = std::complex<double>;

// A number of the host language: its category takes part in dtype promotion, its size does not.
class Scalar {
 public:
  Scalar(bool value) : value_(value) {}          // NOLINT: a Scalar is what these are
  Scalar(std::int64_t value) : value_(value) {}  // NOLINT
  Scalar(double value) : value_(value) {}        // NOLINT
  Scalar(Complex value) : value_(value) {}       // NOLINT

  DTypeCategory category() const noexcept {
    constexpr DTypeCategory kCategories[] = {DTypeCategory::kBool, DTypeCategory::kInteger, DTypeCategory::kFloating,
                                             DTypeCategory::kComplex};
    return kCategories[value_.index()];
  }

  template <class T>
  T to() const {
    return std::visit([](auto value) { return convert_value<T>(value); }, value_);
  }

 private:
  std::variant<bool, std::int64_t, double, Complex> value_;
};

enum class ValueTag : std::uint8_t {
  kNone,
  kBool,
  kInt,
  kDouble,
  kTensor,  // from here on: shared
  kComplex,
  kString,
  kDevice,
  kList,
  kTuple,
  kDict,
  kObject,
  kEnum,
  kFuture,
};

// The base of shared values other than tensors.
class HeapValue : public RefCounted {
 public:
  virtual ~HeapValue() = default;
};

struct ComplexValue;
struct StringValue;
struct ListValue;
struct TupleValue;
struct DictValue;
struct ObjectValue;
struct EnumValue;
struct FutureValue;

class Value {
 public:
  Value() noexcept : int_(0) {}  // None
  Value(bool value) noexcept : tag_(ValueTag::kBool), int_(value) {}  // NOLINT: these convert, as arguments do
  Value(std::int64_t value) noexcept : tag_(ValueTag::kInt), int_(value) {}  // NOLINT
  Value(double value) noexcept : tag_(ValueTag::kDouble), double_(value) {}  // NOLINT
  Value(Tensor value) noexcept : tag_(ValueTag::kTensor), tensor_(std::move(value)) {}  // NOLINT
  Value(Complex value);             // NOLINT
  Value(Scalar value);              // NOLINT
  Value(std::string value);         // NOLINT
  Value(const char* value) : Value(std::string(value)) {}  // NOLINT: not the bool that a pointer becomes
  Value(const IntList& values);     // NOLINT: a list of ints
  Value(std::vector<Tensor> list);  // NOLINT: a list of tensors
  template <class... Ts>
  Value(const std::tuple<Ts...>& values)  // NOLINT: a tuple
      : Value(std::apply([](const auto&... each) { return tuple({Value(each)...}); }, values)) {}
  Value(Ref<ListValue> value);    // NOLINT
  Value(Ref<TupleValue> value);   // NOLINT
  Value(Ref<DictValue> value);    // NOLINT
  Value(Ref<ObjectValue> value);  // NOLINT
  Value(Ref<EnumValue> value);    // NOLINT
  Value(Ref<FutureValue> value);  // NOLINT

  static Value list(std::vector<Value> elements);
  static Value tuple(std::vector<Value> elements);
  static Value device(std::string name);

  Value(const Value& other) noexcept { copy(other); }
  Value(Value&& other) noexcept { take(other); }
  Value& operator=(const Value& other) noexcept {
    if (this != &other) {
      const Value old(std::move(*this));  // let go last: its destructor may be anything
      copy(other);
    }
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    if (this != &other) {
      const Value old(std::move(*this));
      take(other);
    }
    return *this;
  }
  ~Value() { reset(); }

  ValueTag tag() const noexcept { return tag_; }
  bool is_none() const noexcept { return tag_ == ValueTag::kNone; }
  bool is_bool() const noexcept { return tag_ == ValueTag::kBool; }
  bool is_int() const noexcept { return tag_ == ValueTag::kInt; }
  bool is_double() const noexcept { return tag_ == ValueTag::kDouble; }
  bool is_complex() const noexcept { return tag_ == ValueTag::kComplex; }
  bool is_number() const noexcept { return is_bool() || is_int() || is_double() || is_complex(); }
  bool is_tensor() const noexcept { return tag_ == ValueTag::kTensor; }
  bool is_string() const noexcept { return tag_ == ValueTag::kString; }
  bool is_list() const noexcept { return tag_ == ValueTag::kList; }
  bool is_tuple() const noexcept { return tag_ == ValueTag::kTuple; }
  bool is_dict() const noexcept { return tag_ == ValueTag::kDict; }
  bool is_object() const noexcept { return tag_ == ValueTag::kObject; }

  // The caller knows the kind, from the schema or the tag.
  bool to_bool() const noexcept { return int_ != 0; }
  std::int64_t to_int() const noexcept { return int_; }
  double to_double() const noexcept { return is_double() ? double_ : static_cast<double>(int_); }
  Complex to_complex() const;
  Scalar to_scalar() const;
  const Tensor& to_tensor() const noexcept { return tensor_; }
  const std::string& to_string() const noexcept;  // of a string or a device
  std::vector<Value>& to_list() const noexcept;
  const std::vector<Value>& to_tuple() const noexcept;
  DictValue& to_dict() const noexcept;
  ObjectValue& to_object() const noexcept;
  const EnumValue& to_enum() const noexcept;
  FutureValue& to_future() const noexcept;
  IntList to_int_list() const;

  // The same object, or equal numbers of one kind: Python's `is`.
  bool is(const Value& other) const noexcept;

 private:
  Value(ValueTag tag, Ref<HeapValue> heap) noexcept : tag_(tag), heap_(std::move(heap)) {}

  void copy(const Value& other) noexcept {
    tag_ = other.tag_;
    if (tag_ < ValueTag::kTensor) {
      int_ = other.int_;
    } else if (tag_ == ValueTag::kTensor) {
      new (&tensor_) Tensor(other.tensor_);
    } else {
      new (&heap_) Ref<HeapValue>(other.heap_);
    }
  }
  void take(Value& other) noexcept {
    tag_ = std::exchange(other.tag_, ValueTag::kNone);
    if (tag_ < ValueTag::kTensor) {
      int_ = other.int_;
    } else if (tag_ == ValueTag::kTensor) {
      new (&tensor_) Tensor(std::move(other.tensor_));
      other.tensor_.~Tensor();
    } else {
      new (&heap_) Ref<HeapValue>(std::move(other.heap_));
      other.heap_.~Ref();
    }
  }
  void reset() noexcept {
    if (tag_ < ValueTag::kTensor) return;
    if (tag_ == ValueTag::kTensor) {
      tensor_.~Tensor();
    } else {
      heap_.~Ref();
    }
  }

  ValueTag tag_ = ValueTag::kNone;
  union {
    std::int64_t int_;  // of a bool too
    double double_;
    Tensor tensor_;
    Ref<HeapValue> heap_;
  };
};

static_assert(sizeof(Value) == 16);

// Whether a value is of a type, as far as values know theirs: of a list or dict the elements decide.
bool is_instance(const Value& value, const Type& type);

// Equality and hash by value, for the keys of dicts: bools, numbers, strings, tuples of those; tensors and objects are
// equal to themselves only.
struct ValueEqual {
  bool operator()(const Value& a, const Value& b) const;
};
struct ValueHash {
  std::size_t operator()(const Value& value) const;
};

struct ComplexValue final : HeapValue {
  explicit ComplexValue(Complex number) : value(number) {}
  const Complex value;
};

struct StringValue final : HeapValue {
  explicit StringValue(std::string text) : value(std::move(text)) {}
  const std::string value;
};

struct ListValue final : HeapValue {
  explicit ListValue(std::vector<Value> values) : elements(std::move(values)) {}
  std::vector<Value> elements;
};

struct TupleValue final : HeapValue {
  explicit TupleValue(std::vector<Value> values) : elements(std::move(values)) {}
  const std::vector<Value> elements;
};

// Keeps the order of insertion.
struct DictValue final : HeapValue {
  using Entry = std::pair<const Value, Value>;

  Value* find(const Value& key);
  void set(const Value& key, Value value);
  bool erase(const Value& key);

  std::list<Entry> entries;

 private:
  std::unordered_map<Value, std::list<Entry>::iterator, ValueHash, ValueEqual> index_;
};

struct ObjectValue : HeapValue {
  explicit ObjectValue(TypePtr class_type)
      : type(std::move(class_type)), slots(type->definition()->attributes.size()) {}
  const TypePtr type;
  std::vector<Value> slots;  // by position in the definition's attributes
};

struct EnumValue final : HeapValue {
  EnumValue(TypePtr enum_type, std::string member, Value number)
      : type(std::move(enum_type)), name(std::move(member)), value(std::move(number)) {}
  const TypePtr type;
  const std::string name;
  const Value value;
};

struct FutureValue final : HeapValue {
  explicit FutureValue(Future<Value> state) : future(std::move(state)) {}
  const Future<Value> future;
};

inline const std::string& Value::to_string() const noexcept {
  return static_cast<const StringValue*>(heap_.get())->value;
}
inline std::vector<Value>& Value::to_list() const noexcept { return static_cast<ListValue*>(heap_.get())->elements; }
inline const std::vector<Value>& Value::to_tuple() const noexcept {
  return static_cast<const TupleValue*>(heap_.get())->elements;
}
inline DictValue& Value::to_dict() const noexcept { return *static_cast<DictValue*>(heap_.get()); }
inline ObjectValue& Value::to_object() const noexcept { return *static_cast<ObjectValue*>(heap_.get()); }
inline const EnumValue& Value::to_enum() const noexcept { return *static_cast<const EnumValue*>(heap_.get()); }
inline FutureValue& Value::to_future() const noexcept { return *static_cast<FutureValue*>(heap_.get()); }

}  // namespace threadwheel
