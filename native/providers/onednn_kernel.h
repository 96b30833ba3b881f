// What is common to kernels from oneDNN. It bakes the number of threads into a primitive when it is created, and a
// primitive that runs with another number gives wrong results or hangs: primitives are cached by shape and number of
// threads, created and run inside library_call only. Scratchpads are ours: oneDNN's own belongs to one thread.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parallel/library_call.h"
#include "providers/dnn.h"
#include "tensor/tensor.h"
#include "threadwheel/error.h"

namespace threadwheel::onednn {

using dnnl::memory;
using Key = std::vector<std::int64_t>;

constexpr auto kFloat = memory::data_type::f32;

// Never destroyed: oneDNN may be gone by the time of exit handlers.
inline const dnnl::engine& cpu() {
  static const auto* engine = std::make_unique<dnnl::engine>(dnnl::engine::kind::cpu, 0).release();
  return *engine;
}

inline dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// One argument of a primitive: its layout in the caller's tensor, the layout that the primitive wants, and, where
// they differ, the primitive that converts.
struct Operand {
  int argument;
  memory::desc given, wanted;
  dnnl::reorder::primitive_desc reorder_description;
  dnnl::reorder reorder;

  Operand(int argument_id, const memory::desc& given_layout, const memory::desc& wanted_layout, bool is_output)
      : argument(argument_id), given(given_layout), wanted(wanted_layout) {
    if (given == wanted) return;
    const auto& [from, to] = is_output ? std::pair(wanted, given) : std::pair(given, wanted);
    reorder_description = dnnl::reorder::primitive_desc(cpu(), from, cpu(), to, user_scratchpad());
    reorder = dnnl::reorder(reorder_description);
  }

  bool converts() const { return static_cast<bool>(reorder); }
};

inline memory allocate(const memory::desc& layout, std::vector<std::shared_ptr<Storage>>& keep) {
  if (layout.get_size() == 0) return memory(layout, cpu(), nullptr);
  keep.push_back(Storage::allocate(layout.get_size()));
  return memory(layout, cpu(), keep.back()->data());
}

class Kernel {
 public:
  Kernel(dnnl::primitive primitive, memory::desc scratchpad, std::vector<Operand> inputs, Operand output)
      : primitive_(std::move(primitive)), scratchpad_(std::move(scratchpad)), inputs_(std::move(inputs)),
        output_(std::move(output)) {}

  // An argument that the kernel brings itself, on behalf of `owner`.
  void set_constant(int argument, std::shared_ptr<Storage> memory, const memory::desc& layout,
                    std::weak_ptr<const void> owner) {
    constant_argument_ = argument;
    constant_layout_ = layout;
    constant_ = std::move(memory);
    owner_ = std::move(owner);
  }

  // Whether the constant's owner is gone.
  bool is_stale() const { return constant_ != nullptr && owner_.expired(); }

  // The inputs in the order of the operands.
  void run(std::span<const float* const> inputs, float* output) const {
    std::vector<std::shared_ptr<Storage>> keep;
    dnnl::stream stream(cpu());
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SCRATCHPAD, allocate(scratchpad_, keep)}};
    if (constant_) arguments.emplace(constant_argument_, memory(constant_layout_, cpu(), constant_->data()));
    auto pointer = inputs.begin();
    for (const Operand& operand : inputs_) {
      memory given(operand.given, cpu(), const_cast<float*>(*pointer++));
      if (operand.converts()) {
        memory wanted = allocate(operand.wanted, keep);
        convert(stream, operand, given, wanted, keep);
        given = wanted;
      }
      arguments.emplace(operand.argument, given);
    }
    memory result(output_.given, cpu(), output);
    memory wanted = output_.converts() ? allocate(output_.wanted, keep) : result;
    arguments.emplace(output_.argument, wanted);
    primitive_.execute(stream, arguments);
    if (output_.converts()) convert(stream, output_, wanted, result, keep);
    stream.wait();
  }

 private:
  static void convert(dnnl::stream& stream, const Operand& operand, memory& from, memory& to,
                      std::vector<std::shared_ptr<Storage>>& keep) {
    operand.reorder.execute(stream, {{DNNL_ARG_FROM, from},
                                     {DNNL_ARG_TO, to},
                                     {DNNL_ARG_SCRATCHPAD,
                                      allocate(operand.reorder_description.scratchpad_desc(), keep)}});
  }

  dnnl::primitive primitive_;
  memory::desc scratchpad_;
  std::vector<Operand> inputs_;
  Operand output_;
  int constant_argument_ = 0;
  memory::desc constant_layout_;
  std::shared_ptr<Storage> constant_;
  std::weak_ptr<const void> owner_;
};

// The least recently used kernel goes when there are too many: models with changing shapes must not grow for ever.
class KernelCache {
 public:
  std::shared_ptr<const Kernel> find_or_make(const Key& key, const std::function<Kernel()>& make) {
    if (auto found = find(key)) return found;
    // Made outside the lock: it takes milliseconds, and two threads that make the same one do no harm.
    auto kernel = std::make_shared<const Kernel>(make());
    const std::lock_guard lock(mutex_);
    drop_stale();
    if (!index_.contains(key)) {
      order_.emplace_front(key, kernel);
      index_[key] = order_.begin();
      if (order_.size() > kCapacity) {
        index_.erase(order_.back().first);
        order_.pop_back();
      }
    }
    return kernel;
  }

 private:
  static constexpr std::size_t kCapacity = 1024;

  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      std::size_t hash = 14695981039346656037U;  // FNV-1a, over words
      for (const std::int64_t word : key) hash = (hash ^ static_cast<std::size_t>(word)) * 1099511628211U;
      return hash;
    }
  };

  std::shared_ptr<const Kernel> find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end() || found->second->second->is_stale()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->second;
  }

  void drop_stale() {
    for (auto each = order_.begin(); each != order_.end();) {
      const auto here = each++;
      if (!here->second->is_stale()) continue;
      index_.erase(here->first);
      order_.erase(here);
    }
  }

  std::mutex mutex_;
  std::list<std::pair<Key, std::shared_ptr<const Kernel>>> order_;  // most recently used first
  std::unordered_map<Key, decltype(order_)::iterator, Hash> index_;
};

inline KernelCache& cache() {
  static auto* const instance = std::make_unique<KernelCache>().release();
  return *instance;
}

// What the first word of a key says.
enum KernelKind : std::int64_t { kLinear, kConvolution, kFusedLinear, kFusedConvolution };

template <class Make>
void run_cached(const char* op, double work, Key key, Make make, std::span<const float* const> inputs,
                float* output) {
  library_call(work, [&](int num_threads) {
    try {
      key.push_back(num_threads);
      cache().find_or_make(key, make)->run(inputs, output);
    } catch (const dnnl::error& error) {
      throw Error(ErrorCode::kRuntime, std::string(op) + ": oneDNN failed with status " +
                                           std::to_string(static_cast<int>(error.status)) + ", " + error.what());
    }
  });
}

// --- convolutions' sizes and layouts ---------------------------------------------------------------------
// The last `dims` of depth, height and width.
inline memory::dims used(const dnn::ConvShape& shape, const std::array<std::int64_t, 3>& values) {
  return memory::dims(values.end() - shape.dims, values.end());
}

// The padding at the far end is what makes the sizes come out; it may be negative, when a stride skips the rest.
inline memory::dims far_padding(const dnn::ConvShape& s) {
  std::array<std::int64_t, 3> far{};
  const auto& from = s.transposed ? s.output : s.input;
  const auto& to = s.transposed ? s.input : s.output;
  for (std::size_t i = 0; i < 3; ++i)
    far[i] = (to[i] - 1) * s.stride[i] + (s.kernel[i] - 1) * s.dilation[i] + 1 - from[i] - s.padding[i];
  return used(s, far);
}

inline memory::dims joined(memory::dims head, const memory::dims& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

// Row-major, with the channels of one group exchanged where the caller has the inputs first.
inline memory::desc weight_layout(const dnn::ConvShape& s) {
  const std::int64_t in = s.in_channels / s.groups, out = s.out_channels / s.groups;
  memory::dims dims = joined({s.groups, out, in}, used(s, s.kernel)), strides(dims.size(), 1);
  for (std::size_t i = dims.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * dims[i + 1];
  if (s.transposed) {
    strides[1] = strides[2];
    strides[2] *= out;
  }
  // A convolution without groups has weights of one dimension less; kernels exist for it that do not take more.
  const std::ptrdiff_t first = s.groups > 1 ? 0 : 1;
  return memory::desc(memory::dims(dims.begin() + first, dims.end()), kFloat,
                      memory::dims(strides.begin() + first, strides.end()));
}

}  // namespace threadwheel::onednn
