// Archive: a TorchScript file, the names of its records without the root folder. Owns the mapping and the checks of
// what kind of file it is; the values in its pickles are unpickler.h's, the code is for script/ to read.
//
// Layouts: the plain archive of torch.jit.save has one model, named "", with data.pkl, constants.pkl and code/ at the
// root; torch.package has any number, named by their folder in .data/ts_code/, which share code and storages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "archive/zip.h"
#include "tensor/tensor.h"

namespace threadwheel::archive {

class Archive {
 public:
  // Maps the file copy-on-write: its weights are read when used and may be written, which leaves the file as it is. The
  // file must not be cut short meanwhile. Throws Error(kRuntime) when it cannot be opened, Error(kValue) for one that
  // is damaged, Error(kUnsupported) for one of another kind.
  static Archive open(const std::string& path);

  // Copies the bytes.
  static Archive from_bytes(std::span<const std::byte> bytes);

  // How error texts call it: "archive 'model.pt'".
  const std::string& where() const noexcept { return where_; }
  const std::string& root() const noexcept { return root_; }
  int version() const noexcept { return version_; }

  // A number for the contents, from the names, sizes and checksums of the records: the same on every machine.
  std::uint64_t fingerprint() const;

  // Names under the root, in the order of the file.
  const std::vector<std::string>& records() const noexcept { return names_; }
  // Names of `_extra_files`, without their folder.
  std::vector<std::string> extra_files() const;
  const std::vector<std::string>& models() const noexcept { return models_; }
  // The model that a user means by `name`: "" is the only one. Throws Error(kValue) that lists them.
  std::string find_model(const std::string& name) const;

  // Where the pickles of a model, its storages, and the code are: "" or a folder with its '/'.
  std::string pickle_folder(const std::string& model) const;
  std::string storage_folder(const std::string& model, std::string_view pickle) const;
  std::string code_folder() const;

  bool has(std::string_view name) const { return find(name) != nullptr; }

  // Throw Error(kValue) for a name that is not there and for a damaged record.
  std::string read_text(std::string_view name) const;
  std::shared_ptr<Storage> read(std::string_view name) const;

  // The record of a storage that must have `size_bytes` or more; the same Storage for the same name as long as anybody
  // has it. Not for several threads. A storage without bytes need not have a record.
  std::shared_ptr<Storage> storage(const std::string& name, std::size_t size_bytes);

 private:
  Archive(std::shared_ptr<Storage> file, bool is_mapped, std::string where);

  const ZipRecord* find(std::string_view name) const;
  const ZipRecord& get(std::string_view name) const;
  void find_root();
  void check_kind() const;
  void check_byte_order() const;
  int read_version() const;
  std::vector<std::string> find_models() const;

  std::shared_ptr<Storage> paged(std::shared_ptr<Storage> content, std::uint32_t crc) const;

  std::string where_;
  std::shared_ptr<Storage> file_;
  bool is_mapped_;
  ZipReader zip_;
  std::string root_;  // without '/'
  std::vector<std::string> names_;
  int version_ = 0;
  bool package_ = false;
  std::vector<std::string> models_;
  std::unordered_map<std::string, std::weak_ptr<Storage>> storages_;
};

}  // namespace threadwheel::archive
