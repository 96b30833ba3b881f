// Types of constants, and the names of archives.
#include "script/names.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

#include "script/archive_names.h"

namespace threadwheel::script {
namespace {

// "__torch__.a": what it holds is found when it is named in full.
class QualifiedNames final : public Names {
 public:
  QualifiedNames(Unit& unit, std::string qualifier) : unit_(unit), qualifier_(std::move(qualifier)) {}

  Meaning find(const std::string& name) override {
    const std::string whole = qualifier_ + "." + name;
    if (TypePtr type = unit_.find_type(whole)) return type;
    if (auto function = unit_.find_function(whole)) return function;
    return std::make_shared<QualifiedNames>(unit_, whole);
  }

 private:
  Unit& unit_;
  const std::string qualifier_;
};

class ConstantNames final : public Names {
 public:
  explicit ConstantNames(Unit& unit) : unit_(unit) {}

  Meaning find(const std::string& name) override {
    const std::size_t index = std::strtoull(name.c_str() + 1, nullptr, 10);
    if (!name.starts_with("c") || index >= unit_.constants().size())
      return Unknown{"CONSTANTS." + name + " is not among the archive's " + std::to_string(unit_.constants().size()) +
                     " constants"};
    const Value& value = unit_.constants()[index];
    return Constant{value, type_of_value(value)};
  }

 private:
  Unit& unit_;
};

}  // namespace

TypePtr type_of_value(const Value& value) {
  switch (value.tag()) {
    case ValueTag::kNone: return Type::of(TypeKind::kNone);
    case ValueTag::kBool: return Type::of(TypeKind::kBool);
    case ValueTag::kInt: return Type::of(TypeKind::kInt);
    case ValueTag::kDouble: return Type::of(TypeKind::kFloat);
    case ValueTag::kComplex: return Type::of(TypeKind::kComplex);
    case ValueTag::kTensor: return Type::of(TypeKind::kTensor);
    case ValueTag::kString: return Type::of(TypeKind::kString);
    case ValueTag::kDevice: return Type::of(TypeKind::kDevice);
    case ValueTag::kObject: return value.to_object().type;
    case ValueTag::kEnum: return value.to_enum().type;
    case ValueTag::kTuple: {
      std::vector<TypePtr> elements;
      for (const Value& element : value.to_tuple()) elements.push_back(type_of_value(element));
      return Type::tuple(std::move(elements));
    }
    case ValueTag::kList:
      return Type::list(value.to_list().empty() ? Type::of(TypeKind::kTensor) : type_of_value(value.to_list()[0]));
    case ValueTag::kDict: {
      const auto& entries = value.to_dict().entries;
      if (entries.empty()) return Type::dict(Type::of(TypeKind::kString), Type::of(TypeKind::kTensor));
      return Type::dict(type_of_value(entries.front().first), type_of_value(entries.front().second));
    }
    case ValueTag::kFuture: break;
  }
  return Type::of(TypeKind::kAny);
}

Meaning ArchiveNames::find(const std::string& name) {
  static constexpr double kInf = std::numeric_limits<double>::infinity();
  static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  if (name == "inf" || name == "nan") return Constant{name == "inf" ? kInf : kNan, Type::of(TypeKind::kFloat)};
  if (name == "infj" || name == "nanj")
    return Constant{Complex(0, name == "infj" ? kInf : kNan), Type::of(TypeKind::kComplex)};
  if (name == "__torch__") return std::make_shared<QualifiedNames>(unit_, name);
  if (name == "CONSTANTS") return std::make_shared<ConstantNames>(unit_);
  static constexpr std::array kWords{"torch", "ops",    "annotate",   "unchecked_cast", "getattr", "int",
                                     "float", "bool",   "str",        "complex",        "print",   "range",
                                     "fork",  "sorted", "isinstance", "uninitialized",  "list",    "tuple"};
  if (std::ranges::find(kWords, name) != kWords.end()) return Path{name};
  return Unknown{"'" + name + "' is not defined here"};
}

}  // namespace threadwheel::script
