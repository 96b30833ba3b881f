#include "archive/foreign.h"

#include <algorithm>
#include <string_view>

#include "archive/reading.h"

namespace threadwheel::archive {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  const char* description;
};

constexpr const char* kPickle =
    "is a pickle by torch.save of before 1.6: weights, no code; load it with torch and save a scripted or traced "
    "module "
    "with torch.jit.save";

constexpr Signature kSignatures[] = {
    {0, "\x80\x02"sv, kPickle},
    {0, "\x80\x03"sv, kPickle},
    {0, "\x80\x04"sv, kPickle},
    {0, "\x80\x05"sv, kPickle},
    {4, "PTMF"sv, "is a flatbuffer of PyTorch Mobile (.ff); save the module with torch.jit.save"},
    {4, "ET12"sv, "is an ExecuTorch program (.pte); save the module with torch.jit.save"},
    {0, "version https://git-lfs"sv, "is a pointer of Git LFS to the file and not the file; run `git lfs pull`"},
    {0, "\x1f\x8b"sv, "is compressed with gzip; unpack it first"},
    {0, "\x89HDF"sv, "is an HDF5 file; TorchScript archives of torch.jit.save can be read"},
    {0, "GGUF"sv, "is a GGUF file; TorchScript archives of torch.jit.save can be read"},
    {257, "ustar"sv, "is a tar file; unpack it first, or save the module again with torch.jit.save"},
};

bool is_html(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos || text[begin] != '<') return false;
  std::string start(text.substr(begin, 16));
  std::ranges::transform(start, start.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<?xml");
}

}  // namespace

std::string describe_foreign(std::span<const std::byte> file) {
  constexpr std::size_t kHeadBytes = 512;
  const std::string_view head(reinterpret_cast<const char*>(file.data()), std::min(file.size(), kHeadBytes));
  if (head.empty()) return "is empty; copy or save it again";
  if (head.starts_with("PK\3\4") || head.starts_with("PK\5\6")) return "";
  for (const Signature& signature : kSignatures)
    if (head.size() > signature.offset && head.substr(signature.offset).starts_with(signature.bytes))
      return signature.description;
  if (is_html(head)) return "is a web page, maybe the error of a download; fetch the file again";
  return "begins with " + quote(head.substr(0, 16)) +
         " and is no zip archive; TorchScript archives of torch.jit.save can be read";
}

}  // namespace threadwheel::archive
