// The tables of Python's notation for ops on tensors.
#include "ops/tensor_syntax.h"

#include <algorithm>

namespace threadwheel {
namespace {

constexpr Operator kBinary[] = {{"+", "aten::add", "__add__", "aten::add"},
                                {"-", "aten::sub", "__sub__", "aten::rsub"},
                                {"*", "aten::mul", "__mul__", "aten::mul"},
                                {"/", "aten::div", "__truediv__"},
                                {"//", "aten::floordiv", "__floordiv__", nullptr, "aten::floor_divide"},
                                {"%", "aten::remainder", "__mod__"},
                                {"**", "aten::pow", "__pow__"},
                                {"@", "aten::matmul", "__matmul__"},
                                {"&", "aten::__and__", "__and__", "aten::__and__"},
                                {"|", "aten::__or__", "__or__", "aten::__or__"},
                                {"^", "aten::__xor__", "__xor__", "aten::__xor__"},
                                {"<<", "aten::__lshift__", "__lshift__"},
                                {">>", "aten::__rshift__", "__rshift__"}};
constexpr Operator kComparison[] = {
    {"<", "aten::lt", "__lt__", "aten::gt"},  {">", "aten::gt", "__gt__", "aten::lt"},
    {"==", "aten::eq", "__eq__", "aten::eq"}, {"<=", "aten::le", "__le__", "aten::ge"},
    {">=", "aten::ge", "__ge__", "aten::le"}, {"!=", "aten::ne", "__ne__", "aten::ne"}};

constexpr TensorAttribute kAttributes[] = {{"shape", "aten::size"}, {"ndim", "aten::dim"}, {"T", "aten::numpy_T"},
                                           {"mT", "aten::mT"},      {"H", "aten::matrix_H"}, {"mH", "aten::mH"},
                                           {"real", "aten::real"},  {"imag", "aten::imag"}};

constexpr DTypeAlias kAliases[] = {
    {"bool", DType::kBool},       {"byte", DType::kUInt8},      {"char", DType::kInt8},
    {"short", DType::kInt16},     {"int", DType::kInt32},       {"long", DType::kInt64},
    {"half", DType::kFloat16},    {"bfloat16", DType::kBFloat16}, {"float", DType::kFloat32},
    {"double", DType::kFloat64},  {"cfloat", DType::kComplex64}, {"cdouble", DType::kComplex128}};

}  // namespace

std::span<const Operator> binary_operators() { return kBinary; }
std::span<const Operator> comparison_operators() { return kComparison; }
std::span<const TensorAttribute> tensor_attributes() { return kAttributes; }
std::span<const DTypeAlias> dtype_aliases() { return kAliases; }

const Operator& find_operator(std::span<const Operator> operators, std::string_view text) {
  return *std::ranges::find_if(operators, [&](const Operator& each) { return text == each.text; });
}

std::string in_place_op(const std::string& op) {
  const std::size_t marks = op.find("::__");
  return marks == std::string::npos ? op + "_" : op.substr(0, marks + 4) + "i" + op.substr(marks + 4);
}

}  // namespace threadwheel
