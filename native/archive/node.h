// Node: a value of a pickle. Trees share: what the pickle refers to twice is one node, so a list or an object keeps
// its identity, and there are no cycles. Whoever walks one must remember the shared nodes it has seen, or a small
// file may keep it busy for ever.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tensor/tensor.h"

namespace threadwheel::archive {

struct Node;
using NodePtr = std::shared_ptr<const Node>;

// No chain of nodes is longer, so that recursion over them is safe.
inline constexpr int kMaxDepth = 256;

struct None {};

// "cpu", "cuda:0"
struct Device {
  std::string name;
};

// Integers and what they stand for: (value - zero_point) * scale, per tensor or for each index of dimension `axis`.
struct QuantizedTensor {
  struct PerTensor {
    double scale;
    std::int64_t zero_point;
  };
  struct PerChannel {
    Tensor scales;       // f64[n], or f32[n] with zero points of f32[n]
    Tensor zero_points;  // i64[n]
    std::int64_t axis;
  };

  Tensor values;  // qint8, quint8 or qint32
  std::variant<PerTensor, PerChannel> parameters;
};

// Text that many nodes may share. Never nullptr in a name.
using SharedText = std::shared_ptr<const std::string>;

// `type_tag` as the archive says it, "List[int]" or "Dict[str, Tensor]"; nullptr where it does not.
struct List {
  std::vector<NodePtr> items;
  SharedText type_tag;
};

struct Tuple {
  std::vector<NodePtr> items;
};

// Keys are bools, numbers, strings and tensors, in the order of the file; of two equal ones the later counts.
struct Dict {
  std::vector<std::pair<NodePtr, NodePtr>> items;
  SharedText type_tag;
};

// An instance of a class, "__torch__.m.Net". The state is a Dict of attributes, or what the class's __setstate__ takes;
// nullptr when the archive gives none.
struct Object {
  SharedText type_name;
  NodePtr state;
};

// A member of an enumeration, by its value.
struct Enum {
  SharedText type_name;
  NodePtr value;
};

struct Node {
  using Value = std::variant<None, bool, std::int64_t, double, std::complex<double>, std::string, Tensor,
                             QuantizedTensor, Device, List, Tuple, Dict, Object, Enum>;

  Value value;
  int depth = 1;        // of the longest chain below, itself counted
  bool shared = false;  // more than one other may refer to it

  template <class T>
  const T* as() const noexcept {
    return std::get_if<T>(&value);
  }
};

}  // namespace threadwheel::archive
