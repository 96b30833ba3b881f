// What the unpickler has on its stack: values, and what only lives until a tensor is made of it. Private to the three
// files of the unpickler.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "archive/node.h"
#include "archive/reading.h"

namespace threadwheel::archive {

// Where in a pickle reading is, for error texts.
struct Site {
  const std::string& where;
  std::size_t offset;

  [[noreturn]] void refuse(const std::string& what, ErrorCode code = ErrorCode::kValue) const {
    archive::refuse(where, "byte " + std::to_string(offset) + ": " + what, code);
  }
};

enum class Callee {
  kClass,
  kStorageType,
  kRebuildTensor,
  kRebuildQuantized,
  kOrderedDict,
  kPerTensor,
  kPerChannel,
  kDevice,
  kComplex,
  kTypeTag,
  kTypedList,
};

// A name that the pickle may use, and what it means.
struct Global {
  Callee callee;
  std::string name;
  DType dtype = DType::kUInt8;  // of a storage type
  std::string type_tag = {};    // of a typed list
};

struct TypedStorage {
  std::shared_ptr<Storage> storage;
  DType dtype;
  std::int64_t numel;
};

struct Parts;
using Item = std::variant<std::shared_ptr<Node>, std::shared_ptr<const Global>, std::shared_ptr<const TypedStorage>,
                          std::shared_ptr<const Parts>>;

// A tuple that holds more than values.
struct Parts {
  std::vector<Item> items;
};

// Finds a global in the allow-list.
std::shared_ptr<const Global> find_global(std::string_view module, std::string_view name, const Site& site);

// "a list", for error texts.
const char* describe(const Item& item);

// The value in an item, or nullptr.
template <class T>
const T* value_of(const Item& item) {
  const auto* const node = std::get_if<std::shared_ptr<Node>>(&item);
  return node == nullptr ? nullptr : (*node)->as<T>();
}

// The arguments of torch._utils._rebuild_tensor_v2 and _rebuild_qtensor; requires_grad is left out, as inference has
// no use for it.
Node::Value rebuild_tensor(const std::vector<Item>& arguments, const Site& site);
Node::Value rebuild_quantized(const std::vector<Item>& arguments, const Site& site);

}  // namespace threadwheel::archive
