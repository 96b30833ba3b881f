// The central directory (APPNOTE.TXT 6.3, sections 4.3 to 4.5), checked; inflating and checksums by libdeflate.
#include "archive/zip.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include "archive/reading.h"
#include "third_party/libdeflate/libdeflate.h"

namespace threadwheel::archive {
namespace {

constexpr std::uint64_t kEndBytes = 22, kEnd64Bytes = 56, kLocatorBytes = 20, kEntryBytes = 46, kHeaderBytes = 30;
constexpr std::uint32_t kEndMark = 0x06054b50, kEnd64Mark = 0x06064b50, kLocatorMark = 0x07064b50;
constexpr std::uint32_t kEntryMark = 0x02014b50, kHeaderMark = 0x04034b50;
constexpr std::uint16_t kStored = 0, kDeflated = 8;
constexpr std::uint16_t kEncryptionFlags = 0x2041;  // encrypted, strongly, with a hidden directory
constexpr std::uint16_t kIn64 = 0xffff;             // "see the zip64 field", as is 0xffffffff
constexpr std::uint32_t kIn64Wide = 0xffffffff;

// Deflate cannot expand by more: a match of 258 bytes takes at least 2 bits.
constexpr std::uint64_t kMostExpansion = 1032;
// What all deflated records together may become. Weights that were zipped again shrink by a tenth, code by a factor
// of 5; only a bomb asks for more than this.
constexpr std::uint64_t kFreeExpansionBytes = std::uint64_t{256} << 20;
constexpr std::uint64_t kExpansionPerByte = 100;

// No dtype needs more than 8 bytes.
constexpr std::uintptr_t kAlignment = 8;

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string hex(std::uint32_t value) {
  std::array<char, 9> text;
  std::snprintf(text.data(), text.size(), "%08x", value);
  return text.data();
}

const char* const kDamaged = "; the file is damaged or cut short, copy or save it again";

// Why a name could lead out of its folder or cannot be shown, or nullptr.
const char* name_fault(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.find('\0') != name.npos) return "contains a NUL byte";
  if (name.find('\\') != name.npos) return "contains a backslash";
  if (name.front() == '/') return "is absolute";
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") return "contains '..'";
    begin = end + 1;
  }
  return nullptr;
}

// The 64-bit values that an entry's extra field holds, in their fixed order, for those that did not fit.
class Extra64 {
 public:
  Extra64(const std::byte* data, std::size_t size) {
    while (size >= 4) {
      const auto id = load_little<std::uint16_t>(data), length = load_little<std::uint16_t>(data + 2);
      if (length > size - 4) return;
      if (id == 1) {
        data_ = data + 4;
        size_ = length;
        return;
      }
      data += 4 + length;
      size -= 4 + std::size_t{length};
    }
  }

  // `value` itself, or what the field says when `value` is the mark for it; nothing when it is not there.
  std::optional<std::uint64_t> resolve(std::uint32_t value) {
    if (value != kIn64Wide) return value;
    if (size_ < 8) return std::nullopt;
    const auto wide = load_little<std::uint64_t>(data_);
    data_ += 8;
    size_ -= 8;
    return wide;
  }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace

std::string quote(std::string_view text) {
  constexpr std::size_t kLongest = 120;
  std::string result = "'";
  for (const char c : text.substr(0, kLongest)) {
    if (c >= ' ' && c <= '~') {
      result += c;
    } else {
      std::array<char, 5> escape;
      std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned char>(c));
      result += escape.data();
    }
  }
  return result + (text.size() > kLongest ? "..." : "") + "'";
}

std::uint32_t checksum(const Storage& content) noexcept {
  return libdeflate_crc32(0, content.data(), content.size_bytes());
}

ZipReader::ZipReader(std::shared_ptr<Storage> file, std::string where)
    : file_(std::move(file)), where_(std::move(where)) {
  const Directory directory = find_directory();
  read_directory(directory);
  set_limits(directory.offset);
  check_expansion();
  build_index();
}

std::string ZipReader::where(std::string_view record) const { return where_ + ", record " + quote(record); }

const ZipRecord* ZipReader::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &records_[found->second];
}

ZipReader::Directory ZipReader::find_directory() const {
  const std::uint64_t size = file_->size_bytes();
  // The end record is the last thing in the file but for a comment of up to 64 KiB.
  const std::uint64_t first = size - std::min(size, kEndBytes + 0xffff);
  for (std::uint64_t offset = size - std::min(size, kEndBytes) + 1; offset-- > first;) {
    if (size - offset < kEndBytes || load_little<std::uint32_t>(at(offset)) != kEndMark) continue;
    if (load_little<std::uint16_t>(at(offset + 20)) != size - offset - kEndBytes) continue;
    const auto disk = load_little<std::uint16_t>(at(offset + 4)),
               first_disk = load_little<std::uint16_t>(at(offset + 6));
    if ((disk != 0 && disk != kIn64) || (first_disk != 0 && first_disk != kIn64))
      refuse(where_, "is disk " + number(disk) + " of a zip archive of several; only whole archives can be read",
             ErrorCode::kUnsupported);
    Directory end{load_little<std::uint16_t>(at(offset + 10)), load_little<std::uint32_t>(at(offset + 16)),
                  load_little<std::uint32_t>(at(offset + 12))};
    std::uint64_t end_offset = offset;
    if (offset >= kLocatorBytes && load_little<std::uint32_t>(at(offset - kLocatorBytes)) == kLocatorMark) {
      end_offset = load_little<std::uint64_t>(at(offset - kLocatorBytes + 8));
      if (offset - kLocatorBytes < kEnd64Bytes || end_offset > offset - kLocatorBytes - kEnd64Bytes)
        refuse(where_,
               "the zip64 end record is said to lie at byte " + number(end_offset) + ", out of range" + kDamaged);
      end = read_end64(end_offset, end);
    }
    if (end.offset > end_offset || end.size_bytes > end_offset - end.offset)
      refuse(where_, "the zip directory of " + number(end.size_bytes) + " bytes at byte " + number(end.offset) +
                         " reaches past the end record at byte " + number(end_offset) + kDamaged);
    if (end.count > end.size_bytes / kEntryBytes)
      refuse(where_, "the zip directory of " + number(end.size_bytes) + " bytes cannot hold " + number(end.count) +
                         " records" + kDamaged);
    return end;
  }
  refuse(where_, std::string("begins as a zip archive but has no end record") + kDamaged);
}

ZipReader::Directory ZipReader::read_end64(std::uint64_t end_offset, Directory end) const {
  const std::byte* const data = at(end_offset);
  if (load_little<std::uint32_t>(data) != kEnd64Mark)
    refuse(where_, "there is no zip64 end record at byte " + number(end_offset) + kDamaged);
  if (load_little<std::uint32_t>(data + 16) != 0 || load_little<std::uint32_t>(data + 20) != 0)
    refuse(where_, "is one disk of a zip archive of several; only whole archives can be read", ErrorCode::kUnsupported);
  const Directory wide{load_little<std::uint64_t>(data + 32), load_little<std::uint64_t>(data + 48),
                       load_little<std::uint64_t>(data + 40)};
  // Two readers must not see two archives in one file.
  if ((end.count != kIn64 && end.count != wide.count) || (end.offset != kIn64Wide && end.offset != wide.offset) ||
      (end.size_bytes != kIn64Wide && end.size_bytes != wide.size_bytes))
    refuse(where_, std::string("the end record and the zip64 end record disagree") + kDamaged);
  return wide;
}

void ZipReader::read_directory(const Directory& directory) {
  const std::uint64_t end = directory.offset + directory.size_bytes;
  std::uint64_t offset = directory.offset;
  records_.reserve(directory.count);
  for (std::uint64_t i = 0; i < directory.count; ++i) offset = read_entry(offset, end);
  if (offset != end)
    refuse(where_, "the zip directory has " + number(end - offset) + " bytes after its " + number(directory.count) +
                       " records" + kDamaged);
}

std::uint64_t ZipReader::read_entry(std::uint64_t offset, std::uint64_t end) {
  const std::byte* const data = at(offset);
  if (end - offset < kEntryBytes || load_little<std::uint32_t>(data) != kEntryMark)
    refuse(where_, "there is no zip directory entry at byte " + number(offset) + kDamaged);
  const std::uint64_t name_bytes = load_little<std::uint16_t>(data + 28);
  const std::uint64_t extra_bytes = load_little<std::uint16_t>(data + 30);
  const std::uint64_t total = kEntryBytes + name_bytes + extra_bytes + load_little<std::uint16_t>(data + 32);
  if (total > end - offset)
    refuse(where_,
           "the zip directory entry at byte " + number(offset) + " reaches past the directory's end" + kDamaged);
  const std::string name(reinterpret_cast<const char*>(data + kEntryBytes), name_bytes);
  Extra64 extra(data + kEntryBytes + name_bytes, extra_bytes);
  // The order of these three is the field's.
  const auto size_bytes = extra.resolve(load_little<std::uint32_t>(data + 24));
  const auto stored_bytes = extra.resolve(load_little<std::uint32_t>(data + 20));
  const auto header_offset = extra.resolve(load_little<std::uint32_t>(data + 42));
  if (!size_bytes || !stored_bytes || !header_offset)
    refuse(where(name), std::string("its zip64 field is missing or too short") + kDamaged);
  const auto disk = load_little<std::uint16_t>(data + 34);
  if (disk != 0 && disk != kIn64)
    refuse(where(name), "lies on disk " + number(disk) + "; only whole archives can be read", ErrorCode::kUnsupported);
  const auto method = load_little<std::uint16_t>(data + 10);
  ZipRecord record{
      name, *header_offset, *stored_bytes, *size_bytes, 0, load_little<std::uint32_t>(data + 16), method == kDeflated};
  check_entry(record, load_little<std::uint16_t>(data + 8), method);
  records_.push_back(std::move(record));
  return offset + total;
}

void ZipReader::check_entry(const ZipRecord& record, std::uint16_t flags, std::uint16_t method) const {
  if (const char* const fault = name_fault(record.name))
    refuse(where(record.name), std::string("its name ") + fault + "; names are relative, with '/' between folders");
  if ((flags & kEncryptionFlags) != 0)
    refuse(where(record.name), "is encrypted; save the archive without a password", ErrorCode::kUnsupported);
  if (method != kStored && method != kDeflated)
    refuse(where(record.name),
           "is compressed by method " + number(method) + "; stored (0) and deflated (8) can be read",
           ErrorCode::kUnsupported);
  if (!record.deflated && record.stored_bytes != record.size_bytes)
    refuse(where(record.name), "is stored in " + number(record.stored_bytes) + " bytes and said to be of " +
                                   number(record.size_bytes) + kDamaged);
  if (record.deflated && record.size_bytes / kMostExpansion > record.stored_bytes)
    refuse(where(record.name), "is said to expand from " + number(record.stored_bytes) + " to " +
                                   number(record.size_bytes) + " bytes; deflate expands by at most " +
                                   number(kMostExpansion));
}

void ZipReader::check_expansion() const {
  std::uint64_t total = 0;
  for (const ZipRecord& record : records_)
    if (record.deflated) total += record.size_bytes;  // each at most 1032 times the file: no overflow
  const std::uint64_t most = kFreeExpansionBytes + kExpansionPerByte * file_->size_bytes();
  if (total > most)
    refuse(where_, "its " + number(file_->size_bytes()) + " bytes are said to expand to " + number(total) +
                       "; at most " + number(most) + " are allowed, save the archive without compression");
}

// Records may not overlap: what one says must not be read as another's data, nor memory be writable by two names. Each
// lies between its header and the next; data_offset() holds the data itself against that limit.
void ZipReader::set_limits(std::uint64_t directory_offset) {
  std::vector<ZipRecord*> order;
  order.reserve(records_.size());
  for (ZipRecord& record : records_) order.push_back(&record);
  std::ranges::sort(order, std::less(), &ZipRecord::header_offset);
  std::uint64_t limit = directory_offset;
  for (auto i = order.rbegin(); i != order.rend(); ++i) {
    ZipRecord& record = **i;
    record.end_limit = limit;
    const std::uint64_t least = kHeaderBytes + record.name.size();
    if (record.header_offset > limit || limit - record.header_offset < least ||
        limit - record.header_offset - least < record.stored_bytes)
      refuse(where(record.name), "its " + number(record.stored_bytes) + " bytes at byte " +
                                     number(record.header_offset) + " reach past byte " + number(limit) +
                                     ", where the next record or the directory begins" + kDamaged);
    limit = record.header_offset;
  }
}

void ZipReader::build_index() {
  std::erase_if(records_, [this](const ZipRecord& record) {
    const bool folder = record.name.back() == '/';
    if (folder && record.size_bytes != 0)
      refuse(where(record.name), "is named as a folder and has " + number(record.size_bytes) + " bytes" + kDamaged);
    return folder;
  });
  index_.reserve(records_.size());
  for (std::size_t i = 0; i < records_.size(); ++i)
    if (!index_.emplace(records_[i].name, i).second)
      refuse(where(records_[i].name), std::string("is there twice; names must be unique"));
}

std::uint64_t ZipReader::data_offset(const ZipRecord& record) const {
  const std::byte* const header = at(record.header_offset);
  if (load_little<std::uint32_t>(header) != kHeaderMark)
    refuse(where(record.name), "there is no header at byte " + number(record.header_offset) + kDamaged);
  const std::uint64_t name_bytes = load_little<std::uint16_t>(header + 26);
  const std::uint64_t offset =
      record.header_offset + kHeaderBytes + name_bytes + load_little<std::uint16_t>(header + 28);
  // set_limits() made sure that the name fits, if it is as long as the directory says.
  if (name_bytes != record.name.size() || std::memcmp(header + kHeaderBytes, record.name.data(), name_bytes) != 0)
    refuse(where(record.name), std::string("has another name in its own header") + kDamaged);
  if (offset > record.end_limit || record.end_limit - offset < record.stored_bytes)
    refuse(where(record.name), "its " + number(record.stored_bytes) + " bytes at byte " + number(offset) +
                                   " reach past byte " + number(record.end_limit) +
                                   ", where the next record or the directory begins" + kDamaged);
  return offset;
}

std::shared_ptr<Storage> ZipReader::inflate(const ZipRecord& record, const std::byte* data) const {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  if (decompressor == nullptr) refuse(where(record.name), "no memory to inflate it", ErrorCode::kRuntime);
  auto result = Storage::allocate(record.size_bytes);
  std::size_t used = 0;
  // Without a place for the length it fails unless exactly size_bytes come out.
  const auto status = libdeflate_deflate_decompress_ex(decompressor.get(), data, record.stored_bytes, result->data(),
                                                       record.size_bytes, &used, nullptr);
  if (status != LIBDEFLATE_SUCCESS || used != record.stored_bytes)
    refuse(where(record.name), "its " + number(record.stored_bytes) + " bytes do not inflate to the " +
                                   number(record.size_bytes) + " of the directory" + kDamaged);
  return result;
}

std::shared_ptr<Storage> ZipReader::read(const ZipRecord& record) const {
  std::byte* const data = file_->data() + data_offset(record);
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) % kAlignment == 0;
  std::shared_ptr<Storage> result;
  if (record.deflated) {
    result = inflate(record, data);
  } else if (aligned) {
    result = Storage::wrap(data, record.size_bytes, true, [file = file_] {});
  } else {
    result = Storage::allocate(record.size_bytes);
    std::copy_n(data, record.size_bytes, result->data());
  }
  // Of large weights too: on mapped files it was measured at 5 to 15 GB/s with their page faults, which come anyway.
  const std::uint32_t crc = checksum(*result);
  if (crc != record.crc)
    refuse(where(record.name), "its CRC-32 is " + hex(crc) + ", the directory says " + hex(record.crc) + kDamaged);
  return result;
}

}  // namespace threadwheel::archive
