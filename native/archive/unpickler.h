// Reads the pickles of an archive without running anything: an allow-list of opcodes and of globals, those of torch's
// own unpickler. Whatever else a pickle asks for is an error that names the record and the byte.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "archive/archive.h"
#include "archive/node.h"

namespace threadwheel::archive {

// Gives the storage of a key with at least so many bytes, or throws Error.
using StorageSource = std::function<std::shared_ptr<Storage>(const std::string& key, std::size_t size_bytes)>;

// Reads one pickle; `where` begins every error text. Memory and time are linear in its size. Throws Error(kValue) for
// what is malformed, and Error(kUnsupported) for what torch can read and this cannot.
NodePtr unpickle(std::span<const std::byte> pickle, const std::string& where, const StorageSource& storages);

// Reads `<pickle>.pkl` of one of the archive's models: "data" or "constants".
NodePtr unpickle(Archive& archive, const std::string& pickle, const std::string& model = "");

// Reads `traced_inputs.pkl`, which traced modules have: a Dict of lists of arguments by method. Only the tensors'
// sizes and dtypes mean something: torch leaves their storages empty, and here they are zeros, read-only and shared.
NodePtr unpickle_traced_inputs(Archive& archive);

}  // namespace threadwheel::archive
