// What libFuzzer calls (nox session fuzz), and what replay.cpp calls for each file of the corpus: reads an archive, or
// a pickle when the input is none, and everything in it. A refusal is an Error; all else is a finding.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "archive/archive.h"
#include "archive/reading.h"
#include "archive/unpickler.h"
#include "threadwheel/error.h"

namespace {

using namespace threadwheel;

// Reads the corners of a tensor: all that a view can reach lies between them.
void touch(const Tensor& tensor) {
  if (tensor.numel() == 0) return;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < tensor.sizes().size(); ++i) last += (tensor.size(i) - 1) * tensor.stride(i);
  const auto size = static_cast<std::int64_t>(dtype_size(tensor.dtype()));
  const volatile std::byte* const data = tensor.raw_data();
  static_cast<void>(data[0]);
  static_cast<void>(data[(last + 1) * size - 1]);
}

class Walk {
 public:
  void visit(const archive::NodePtr& node) {
    if (node == nullptr || (node->shared && !seen_.insert(node.get()).second)) return;
    if (const auto* const tensor = node->as<Tensor>()) touch(*tensor);
    if (const auto* const list = node->as<archive::List>()) visit_all(list->items);
    if (const auto* const tuple = node->as<archive::Tuple>()) visit_all(tuple->items);
    if (const auto* const object = node->as<archive::Object>()) visit(object->state);
    if (const auto* const member = node->as<archive::Enum>()) visit(member->value);
    if (const auto* const dict = node->as<archive::Dict>())
      for (const auto& [key, value] : dict->items) visit_all({key, value});
    if (const auto* const tensor = node->as<archive::QuantizedTensor>()) visit(*tensor);
  }

 private:
  void visit_all(const std::vector<archive::NodePtr>& nodes) {
    for (const auto& node : nodes) visit(node);
  }

  void visit(const archive::QuantizedTensor& tensor) {
    touch(tensor.values);
    if (const auto* const each = std::get_if<archive::QuantizedTensor::PerChannel>(&tensor.parameters)) {
      touch(each->scales);
      touch(each->zero_points);
    }
  }

  std::set<const archive::Node*> seen_;
};

template <class Read>
void attempt(const Read& read) {
  try {
    read();
  } catch (const Error&) {
  }
}

void read_archive(std::span<const std::byte> data) {
  auto archive = archive::Archive::from_bytes(data);
  for (const std::string& name : archive.records()) attempt([&] { archive.read_text(name); });
  for (const std::string& model : archive.models())
    for (const char* const pickle : {"data", "constants"})
      attempt([&] { Walk().visit(archive::unpickle(archive, pickle, model)); });
  attempt([&] { Walk().visit(archive::unpickle_traced_inputs(archive)); });
}

void read_pickle(std::span<const std::byte> data) {
  const auto storage = [](const std::string& key, std::size_t size_bytes) {
    constexpr std::size_t kMostBytes = 64;
    if (size_bytes > kMostBytes) throw Error(ErrorCode::kValue, "storage " + key + ": is small");
    auto result = Storage::allocate(size_bytes);
    std::fill_n(result->data(), size_bytes, std::byte{1});
    return result;
  };
  Walk().visit(archive::unpickle(data, "pickle", storage));
}

std::uint32_t crc32(std::span<const std::byte> data) {
  std::uint32_t crc = ~0U;
  for (const std::byte byte : data) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xedb88320U & (0U - (crc & 1)));
  }
  return ~crc;
}

// Gives every stored record the checksum that it has: changes of its content pass the reader's first check.
std::vector<std::byte> repair_checksums(std::span<const std::byte> file) {
  std::vector<std::byte> repaired(file.begin(), file.end());
  for (std::size_t entry = 0; entry + 46 <= file.size(); ++entry) {
    if (archive::load_little<std::uint32_t>(&file[entry]) != 0x02014b50) continue;
    const std::size_t stored = archive::load_little<std::uint32_t>(&file[entry + 20]);
    const std::size_t header = archive::load_little<std::uint32_t>(&file[entry + 42]);
    if (header + 30 > file.size()) continue;
    const std::size_t begin = header + 30 + archive::load_little<std::uint16_t>(&file[header + 26]) +
                              archive::load_little<std::uint16_t>(&file[header + 28]);
    if (begin > file.size() || stored > file.size() - begin) continue;
    const std::uint32_t crc = crc32(file.subspan(begin, stored));
    std::memcpy(&repaired[entry + 16], &crc, sizeof(crc));
  }
  return repaired;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  const bool pickle = size != 0 && data[0] == 0x80;
  attempt([&] { pickle ? read_pickle(bytes) : read_archive(bytes); });
  if (!pickle) attempt([&] { read_archive(repair_checksums(bytes)); });
  return 0;
}
