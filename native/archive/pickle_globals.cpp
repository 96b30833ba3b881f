// The allow-list of globals.
#include <algorithm>

#include "archive/pickle_item.h"

namespace threadwheel::archive {
namespace {

struct Known {
  std::string_view name;
  Callee callee;
  DType dtype = DType::kUInt8;
  const char* type_tag = "";
};

constexpr Known kKnown[] = {
    {"torch._utils._rebuild_tensor_v2", Callee::kRebuildTensor},
    {"torch._utils._rebuild_qtensor", Callee::kRebuildQuantized},
    {"collections.OrderedDict", Callee::kOrderedDict},
    {"torch.FloatStorage", Callee::kStorageType, DType::kFloat32},
    {"torch.DoubleStorage", Callee::kStorageType, DType::kFloat64},
    {"torch.HalfStorage", Callee::kStorageType, DType::kFloat16},
    {"torch.BFloat16Storage", Callee::kStorageType, DType::kBFloat16},
    {"torch.LongStorage", Callee::kStorageType, DType::kInt64},
    {"torch.IntStorage", Callee::kStorageType, DType::kInt32},
    {"torch.ShortStorage", Callee::kStorageType, DType::kInt16},
    {"torch.CharStorage", Callee::kStorageType, DType::kInt8},
    {"torch.ByteStorage", Callee::kStorageType, DType::kUInt8},
    {"torch.BoolStorage", Callee::kStorageType, DType::kBool},
    {"torch.ComplexFloatStorage", Callee::kStorageType, DType::kComplex64},
    {"torch.ComplexDoubleStorage", Callee::kStorageType, DType::kComplex128},
    {"torch.QInt8Storage", Callee::kStorageType, DType::kQInt8},
    {"torch.QUInt8Storage", Callee::kStorageType, DType::kQUInt8},
    {"torch.QInt32Storage", Callee::kStorageType, DType::kQInt32},
    {"torch.per_tensor_affine", Callee::kPerTensor},
    {"torch.per_channel_affine", Callee::kPerChannel},
    {"torch.per_channel_affine_float_qparams", Callee::kPerChannel},
    {"torch.device", Callee::kDevice},
    {"builtins.complex", Callee::kComplex},
    {"torch.jit._pickle.restore_type_tag", Callee::kTypeTag},
    {"torch.jit._pickle.build_intlist", Callee::kTypedList, {}, "List[int]"},
    {"torch.jit._pickle.build_doublelist", Callee::kTypedList, {}, "List[float]"},
    {"torch.jit._pickle.build_boollist", Callee::kTypedList, {}, "List[bool]"},
    {"torch.jit._pickle.build_tensorlist", Callee::kTypedList, {}, "List[Tensor]"},
    {"__main__.IntList", Callee::kTypedList, {}, "List[int]"},  // before 1.4
};

// What torch reads and this does not: no attack, so the text says so.
constexpr std::string_view kUnsupported[] = {
    "torch._utils._rebuild_sparse_tensor",
    "torch._utils._rebuild_sparse_csr_tensor",
    "torch._utils._rebuild_nested_tensor",
    "torch._utils._rebuild_meta_tensor_no_storage",
    "torch._utils._rebuild_parameter",
    "torch._tensor._rebuild_from_type_v2",
    "torch.jit._pickle.build_tensor_from_id",
    "torch.ComplexHalfStorage",
    "__main__.TensorID",
};

// Letters, digits, '_' and bytes beyond ASCII, in parts with '.' between: what a path to the code is made of later.
bool is_qualified_name(std::string_view name) {
  char before = '.';
  for (const char c : name) {
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
    if (!letter && (c != '.' || before == '.')) return false;
    before = c;
  }
  return before != '.';
}

}  // namespace

std::shared_ptr<const Global> find_global(std::string_view module, std::string_view name, const Site& site) {
  const std::string full = std::string(module) + "." + std::string(name);
  if (full.starts_with("__torch__.")) {
    if (!is_qualified_name(full))
      site.refuse("the class name " + quote(full) + " is not made of letters, digits, '_' and '.'");
    return std::make_shared<const Global>(Global{Callee::kClass, full});
  }
  for (const Known& known : kKnown)
    if (known.name == full)
      return std::make_shared<const Global>(Global{known.callee, full, known.dtype, known.type_tag});
  if (std::ranges::find(kUnsupported, full) != std::end(kUnsupported))
    site.refuse(quote(full) + " is unsupported; archives with dense and quantized tensors can be read",
                ErrorCode::kUnsupported);
  site.refuse("the pickle asks for " + quote(full) +
              ", which no TorchScript archive needs; do not use the file if you do not trust where it is from");
}

}  // namespace threadwheel::archive
