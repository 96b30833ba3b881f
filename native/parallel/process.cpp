// Reads the dynamic section of every object that dl_iterate_phdr reports. Names are looked up through the objects' GNU
// hash tables, one or two cache lines each, so that a scan is cheap enough for an import. An object without such a
// table defines nothing here; linkers have written it for twenty years.
#include "parallel/process.h"

#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <climits>
#include <cstring>
#include <span>

namespace threadwheel {
namespace {

using Symbol = ElfW(Sym);
using Relocation = ElfW(Rela);

// The parts of an object's dynamic section that are read here.
class Dynamic {
 public:
  explicit Dynamic(const dl_phdr_info& info) : base_(info.dlpi_addr) {
    for (const auto& header : std::span(info.dlpi_phdr, info.dlpi_phnum))
      if (header.p_type == PT_DYNAMIC) read(reinterpret_cast<const ElfW(Dyn)*>(base_ + header.p_vaddr));
  }

  std::string soname() const { return soname_ != 0 ? text(soname_) : ""; }

  std::vector<std::string> needed() const {
    std::vector<std::string> names;
    for (const auto offset : needed_) names.emplace_back(text(offset));
    return names;
  }

  // The address of a function or variable that this object defines for others, or 0.
  std::uintptr_t find(const char* name) const {
    if (hash_table_ == nullptr) return 0;
    const auto [num_buckets, first_symbol, num_words, shift] = *reinterpret_cast<const Header*>(hash_table_);
    const auto* filter = reinterpret_cast<const ElfW(Addr)*>(hash_table_ + sizeof(Header));
    const auto* buckets = reinterpret_cast<const std::uint32_t*>(filter + num_words);
    const std::uint32_t* chain = buckets + num_buckets;
    const std::uint32_t hash = hash_of(name);
    constexpr std::uint32_t kBits = 8 * sizeof(ElfW(Addr));
    const auto word = filter[hash / kBits % num_words];
    if ((word >> hash % kBits & word >> (hash >> shift) % kBits & 1) == 0) return 0;
    std::uint32_t index = buckets[hash % num_buckets];
    if (index < first_symbol) return 0;  // an empty bucket
    for (;; ++index) {
      const std::uint32_t entry = chain[index - first_symbol];  // the last bit marks the end of a bucket
      if ((entry | 1) == (hash | 1) && is_defined(symbols_[index]) &&
          std::strcmp(text(symbols_[index].st_name), name) == 0)
        return base_ + symbols_[index].st_value;
      if ((entry & 1) != 0) return 0;
    }
  }

  // Where the imports that the loader has bound lead: the values of all slots that stand for a symbol. Slots that hold
  // no address (offsets of thread-local variables) are among them and are in no object.
  std::vector<std::uintptr_t> bound() const {
    std::vector<std::uintptr_t> values;
    for (const auto table : {slots_, calls_})
      for (const Relocation& relocation : table)
        if (ELF64_R_SYM(relocation.r_info) != 0)
          values.push_back(*reinterpret_cast<const std::uintptr_t*>(base_ + relocation.r_offset));
    return values;
  }

 private:
  struct Header {  // of a GNU hash table
    std::uint32_t num_buckets, first_symbol, num_words, shift;
  };

  void read(const ElfW(Dyn)* entry) {
    const Relocation *slots = nullptr, *calls = nullptr;
    std::size_t slots_bytes = 0, calls_bytes = 0;
    for (; entry->d_tag != DT_NULL; ++entry) {
      const auto value = entry->d_un.d_val;
      switch (entry->d_tag) {
        case DT_SONAME: soname_ = value; break;
        case DT_NEEDED: needed_.push_back(value); break;
        case DT_STRTAB: strings_ = at<char>(value); break;
        case DT_SYMTAB: symbols_ = at<Symbol>(value); break;
        case DT_GNU_HASH: hash_table_ = at<char>(value); break;
        case DT_RELA: slots = at<Relocation>(value); break;
        case DT_RELASZ: slots_bytes = value; break;
        case DT_JMPREL: calls = at<Relocation>(value); break;
        case DT_PLTRELSZ: calls_bytes = value; break;
        default: break;
      }
    }
    slots_ = {slots, slots_bytes / sizeof(Relocation)};
    calls_ = {calls, calls_bytes / sizeof(Relocation)};
  }

  // glibc makes these values addresses when it loads an object; what it did not load has offsets.
  template <class T>
  const T* at(ElfW(Addr) value) const {
    return reinterpret_cast<const T*>(value < base_ ? base_ + value : value);
  }

  const char* text(ElfW(Xword) offset) const { return strings_ + offset; }

  static bool is_defined(const Symbol& symbol) {
    const auto type = ELF64_ST_TYPE(symbol.st_info);
    return symbol.st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_OBJECT);
  }

  static std::uint32_t hash_of(const char* name) {
    std::uint32_t hash = 5381;
    for (; *name != '\0'; ++name) hash = hash * 33 + static_cast<unsigned char>(*name);
    return hash;
  }

  std::uintptr_t base_;
  ElfW(Xword) soname_ = 0;
  std::vector<ElfW(Xword)> needed_;
  const char* strings_ = nullptr;
  const Symbol* symbols_ = nullptr;
  const char* hash_table_ = nullptr;
  std::span<const Relocation> slots_, calls_;
};

bool contains(const dl_phdr_info& info, std::uintptr_t address) {
  for (const auto& header : std::span(info.dlpi_phdr, info.dlpi_phnum))
    if (header.p_type == PT_LOAD && address - (info.dlpi_addr + header.p_vaddr) < header.p_memsz) return true;
  return false;
}

std::string program_file() {
  char path[PATH_MAX];
  const auto length = readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "";
}

// In the first pass finds what this library's imports are bound to, in the second describes the objects.
struct Scan {
  const std::vector<std::string>& symbols;
  std::vector<std::uintptr_t> bound;
  std::vector<MappedObject> objects;

  static bool is_this_library(const dl_phdr_info& info) {
    return contains(info, reinterpret_cast<std::uintptr_t>(&program_file));
  }

  static int find_bound(dl_phdr_info* info, std::size_t, void* data) {
    if (!is_this_library(*info)) return 0;
    static_cast<Scan*>(data)->bound = Dynamic(*info).bound();
    return 1;
  }

  static int describe(dl_phdr_info* info, std::size_t, void* data) {
    static_cast<Scan*>(data)->add(*info);
    return 0;
  }

  void add(const dl_phdr_info& info) {
    const bool is_program = objects.empty();
    const std::string name = is_program ? program_file() : info.dlpi_name;
    if (!is_program && name.find('/') == std::string::npos) return;  // the kernel's vdso is no file
    const Dynamic dynamic(info);
    MappedObject& object = objects.emplace_back();
    object.file = name;
    object.soname = dynamic.soname();
    object.needed = dynamic.needed();
    for (const std::string& symbol : symbols)
      if (const auto address = dynamic.find(symbol.c_str()); address != 0) object.defined[symbol] = address;
    object.is_ours = is_this_library(info);
    for (const auto address : bound) object.is_called = object.is_called || contains(info, address);
  }
};

}  // namespace

std::vector<MappedObject> mapped_objects(const std::vector<std::string>& symbols) {
  Scan scan{symbols, {}, {}};
  dl_iterate_phdr(&Scan::find_bound, &scan);
  dl_iterate_phdr(&Scan::describe, &scan);
  return std::move(scan.objects);
}

}  // namespace threadwheel
