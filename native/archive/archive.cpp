// Opening, the kind of the file, its layout, and its records by name.
#include "archive/archive.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "archive/foreign.h"
#include "archive/reading.h"

namespace threadwheel::archive {
namespace {

constexpr int kOldestVersion = 1, kNewestVersion = 10;
constexpr std::string_view kExtraFolder = "extra/", kPackageFolder = ".data/ts_code/";

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const noexcept { return number_; }

 private:
  int number_;
};

[[noreturn]] void refuse_system(const std::string& where, const char* what) {
  const int error = errno;
  refuse(where, std::string("cannot ") + what + " it: " + std::strerror(error), ErrorCode::kRuntime);
}

std::shared_ptr<Storage> map_file(const std::string& path, const std::string& where) {
  // Nonblocking, so that a named pipe is refused below and not waited for.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) refuse_system(where, "open");
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) refuse_system(where, "examine");
  if (!S_ISREG(status.st_mode)) refuse(where, "is not a regular file; pass the path of a TorchScript archive");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return Storage::allocate(0);  // mmap refuses it
  // Pages are private once written. No swap is set aside for that: hardly any weight ever is.
  void* const data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.number(), 0);
  if (data == MAP_FAILED) refuse_system(where, "map");
  return Storage::wrap(data, size, true, [data, size] { ::munmap(data, size); });
}

std::shared_ptr<Storage> checked(std::shared_ptr<Storage> file, const std::string& where) {
  const std::string foreign = describe_foreign({file->data(), file->size_bytes()});
  if (!foreign.empty()) refuse(where, foreign, file->size_bytes() == 0 ? ErrorCode::kValue : ErrorCode::kUnsupported);
  return file;
}

constexpr std::uintptr_t kPageBytes = 4096;

// Takes the whole pages of a mapped record out of memory; at the next use they come from the file, as they were there.
void drop_pages(const Storage& record) {
  const auto begin = reinterpret_cast<std::uintptr_t>(record.data());
  const std::uintptr_t first = (begin + kPageBytes - 1) / kPageBytes * kPageBytes;
  const std::uintptr_t last = (begin + record.size_bytes()) / kPageBytes * kPageBytes;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

std::string_view text_of(const Storage& storage) {
  return {reinterpret_cast<const char*>(storage.data()), storage.size_bytes()};
}

std::string_view strip(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

}  // namespace

Archive Archive::open(const std::string& path) {
  if (path.find('\0') != path.npos)
    refuse("archive " + quote(path), "the path contains a NUL byte; pass the path of a file");
  const std::string where = "archive '" + path + "'";  // the caller's own words: neither escaped nor cut
  return Archive(map_file(path, where), true, where);
}

Archive Archive::from_bytes(std::span<const std::byte> bytes) {
  auto copy = Storage::allocate(bytes.size());
  std::ranges::copy(bytes, copy->data());
  return Archive(std::move(copy), false, "archive in memory");
}

Archive::Archive(std::shared_ptr<Storage> file, bool is_mapped, std::string where)
    : where_(std::move(where)), file_(checked(std::move(file), where_)), is_mapped_(is_mapped), zip_(file_, where_) {
  find_root();
  check_kind();
  check_byte_order();
  version_ = read_version();
  package_ = has(".data/extern_modules");
  models_ = find_models();
}

// Any name: it is the stem of the file that the archive was saved as.
void Archive::find_root() {
  if (zip_.records().empty()) refuse(where_, "has no records; save it again with torch.jit.save");
  const std::string& first = zip_.records().front().name;
  const std::size_t slash = first.find('/');
  if (slash == first.npos)
    refuse(where_, "its first record, " + quote(first) +
                       ", lies in no folder; a TorchScript archive has one folder with everything in it");
  root_ = first.substr(0, slash);
  for (const ZipRecord& record : zip_.records())
    if (record.name.starts_with(root_) && record.name.size() > slash && record.name[slash] == '/')
      names_.push_back(record.name.substr(slash + 1));
}

void Archive::check_kind() const {
  if (has("model.json"))
    refuse(where_,
           "is of torch before 1.4 (it has model.json); load it with torch 1.4 to 2.x and save it again with "
           "torch.jit.save",
           ErrorCode::kUnsupported);
  if (has("archive_format") || has("serialized_exported_program.json"))
    refuse(where_, "is a program of torch.export (.pt2); save the module with torch.jit.save", ErrorCode::kUnsupported);
  if (has("constants.pkl") || has(".data/extern_modules")) return;
  if (has("data.pkl"))
    refuse(where_,
           "is made by torch.save: weights, no code (there is no constants.pkl); save a scripted or traced module with "
           "torch.jit.save",
           ErrorCode::kUnsupported);
  refuse(where_,
         "is a zip archive without data.pkl and constants.pkl under " + quote(root_) +
             "; TorchScript archives of torch.jit.save can be read",
         ErrorCode::kUnsupported);
}

void Archive::check_byte_order() const {
  if (!has("byteorder")) return;  // before 2.1
  const std::string order = read_text("byteorder");
  if (order != "little")
    refuse(where_, "its byteorder is " + quote(order) + "; only 'little' can be read", ErrorCode::kUnsupported);
}

int Archive::read_version() const {
  const char* const name = has(".data/version") ? ".data/version" : "version";
  if (!has(name)) refuse(where_, "has neither 'version' nor '.data/version'; save it again with torch.jit.save");
  const std::string record = read_text(name);
  const std::string_view text = strip(record);
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < kOldestVersion || version > kNewestVersion)
    refuse(where_,
           "its version is " + quote(text) + "; " + std::to_string(kOldestVersion) + " to " +
               std::to_string(kNewestVersion) + " can be read",
           ErrorCode::kUnsupported);
  return version;
}

std::vector<std::string> Archive::find_models() const {
  if (!package_) return {""};
  constexpr std::string_view kPickle = "/data.pkl";
  std::vector<std::string> models;
  for (const std::string& name : names_)
    if (name.starts_with(kPackageFolder) && name.ends_with(kPickle))
      models.push_back(name.substr(kPackageFolder.size(), name.size() - kPackageFolder.size() - kPickle.size()));
  if (models.empty())
    refuse(where_, "is a torch.package without TorchScript models; save the module with torch.jit.save",
           ErrorCode::kUnsupported);
  return models;
}

std::string Archive::find_model(const std::string& name) const {
  if (name.empty() && models_.size() == 1) return models_.front();
  if (std::ranges::find(models_, name) != models_.end()) return name;
  std::string advice = "it is no torch.package, leave the name out";
  if (package_) {
    advice = "choose from ";
    for (const std::string& model : models_) advice += (model == models_.front() ? "" : ", ") + quote(model);
  }
  refuse(where_, "has no model " + quote(name) + "; " + advice);
}

std::uint64_t Archive::fingerprint() const {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  const auto add = [&hash](std::string_view bytes) {
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  };
  for (const ZipRecord& record : zip_.records())
    add(record.name + '\0' + std::to_string(record.size_bytes) + ' ' + std::to_string(record.crc) + '\0');
  return hash;
}

std::vector<std::string> Archive::extra_files() const {
  std::vector<std::string> files;
  for (const std::string& name : names_)
    if (name.starts_with(kExtraFolder)) files.push_back(name.substr(kExtraFolder.size()));
  return files;
}

std::string Archive::pickle_folder(const std::string& model) const {
  return package_ ? std::string(kPackageFolder) + model + "/" : "";
}

std::string Archive::storage_folder(const std::string& model, std::string_view pickle) const {
  // A package keeps the storages of all its models in one folder, under keys like "0.storage".
  return package_ ? ".data/" : pickle_folder(model) + std::string(pickle) + "/";
}

std::string Archive::code_folder() const { return package_ ? std::string(kPackageFolder) + "code/" : "code/"; }

const ZipRecord* Archive::find(std::string_view name) const { return zip_.find(root_ + "/" + std::string(name)); }

const ZipRecord& Archive::get(std::string_view name) const {
  if (const ZipRecord* const record = find(name)) return *record;
  refuse(where_, "has no record " + quote(name) + "; the file is incomplete, copy or save it again");
}

std::string Archive::read_text(std::string_view name) const { return std::string(text_of(*read(name))); }

std::shared_ptr<Storage> Archive::read(std::string_view name) const { return zip_.read(get(name)); }

// A record of the file itself takes memory from its first use on, until nobody has it any more: checking it is no use.
// Nothing was written to it before, and nobody sees what was written after. In between it is trimmed as long as it is
// what the file has.
std::shared_ptr<Storage> Archive::paged(std::shared_ptr<Storage> content, std::uint32_t crc) const {
  if (!is_mapped_ || content->data() < file_->data() || content->data() >= file_->data() + file_->size_bytes())
    return content;
  drop_pages(*content);
  const auto trim = [content = content.get(), crc] {
    if (checksum(*content) == crc) drop_pages(*content);
  };
  std::byte* const data = content->data();
  const std::size_t size_bytes = content->size_bytes();
  return Storage::wrap(data, size_bytes, true, [content = std::move(content)] { drop_pages(*content); }, trim);
}

std::shared_ptr<Storage> Archive::storage(const std::string& name, std::size_t size_bytes) {
  if (size_bytes == 0 && !has(name)) return Storage::allocate(0);
  auto& known = storages_[name];
  std::shared_ptr<Storage> storage = known.lock();
  if (storage == nullptr) known = storage = paged(read(name), get(name).crc);
  if (storage->size_bytes() < size_bytes)
    refuse(where_ + ", record " + quote(name), "has " + std::to_string(storage->size_bytes()) + " bytes, " +
                                                   std::to_string(size_bytes) +
                                                   " are referred to; the file is damaged, copy or save it again");
  return storage;
}

}  // namespace threadwheel::archive
