// ZipReader: the records of a zip archive in memory, by name. Everything that the file says is checked before it is
// used: offsets, sizes, names, checksums. Knows nothing of TorchScript.
//
// Only the central directory is trusted for sizes: writers that stream, torch's among them, leave them zero in the
// headers before the data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tensor/tensor.h"

namespace threadwheel::archive {

struct ZipRecord {
  std::string name;
  std::uint64_t header_offset;
  std::uint64_t stored_bytes;  // in the file
  std::uint64_t size_bytes;    // when read
  std::uint64_t end_limit;     // where the next record or the directory begins
  std::uint32_t crc;
  bool deflated;
};

std::uint32_t checksum(const Storage& content) noexcept;

class ZipReader {
 public:
  // `where` begins every error text. Throws Error(kValue) for a damaged or hostile directory, Error(kUnsupported) for
  // encryption, several disks, and compression other than deflate.
  ZipReader(std::shared_ptr<Storage> file, std::string where);

  // Movable, not copyable: the index refers to the names in records_.
  ZipReader(ZipReader&&) = default;
  ZipReader& operator=(ZipReader&&) = default;

  // In the order of the directory; folders are left out.
  const std::vector<ZipRecord>& records() const noexcept { return records_; }

  // nullptr for a name that is not there.
  const ZipRecord* find(std::string_view name) const;

  // The record's content, its checksum verified; a view of the file where it is stored as it is and aligned for every
  // dtype, otherwise a copy. Throws Error(kValue) when it is damaged.
  std::shared_ptr<Storage> read(const ZipRecord& record) const;

 private:
  struct Directory {
    std::uint64_t count, offset, size_bytes;
  };

  const std::byte* at(std::uint64_t offset) const noexcept { return file_->data() + offset; }
  std::string where(std::string_view record) const;
  Directory find_directory() const;
  Directory read_end64(std::uint64_t end_offset, Directory end) const;
  void read_directory(const Directory& directory);
  std::uint64_t read_entry(std::uint64_t offset, std::uint64_t end);
  void check_entry(const ZipRecord& record, std::uint16_t flags, std::uint16_t method) const;
  void check_expansion() const;
  void set_limits(std::uint64_t directory_offset);
  void build_index();
  std::uint64_t data_offset(const ZipRecord& record) const;
  std::shared_ptr<Storage> inflate(const ZipRecord& record, const std::byte* data) const;

  std::shared_ptr<Storage> file_;
  std::string where_;
  std::vector<ZipRecord> records_;
  std::unordered_map<std::string_view, std::size_t> index_;
};

}  // namespace threadwheel::archive
