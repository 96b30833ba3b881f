// Neural network kernels from oneDNN. It bakes the number of threads into a primitive when it is created, and a
// primitive that runs with another number gives wrong results or hangs: primitives are cached by shape and number of
// threads, created and run inside library_call only. Scratchpads are ours: oneDNN's own belongs to one thread.
#include <oneapi/dnnl/dnnl.hpp>

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parallel/libraries.h"
#include "parallel/library_call.h"
#include "providers/dnn.h"
#include "providers/gemm_dnn.h"
#include "tensor/tensor.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace libraries {

std::string dnn_report() {
  const dnnl_version_t& version = *dnnl_version();
  return "Intel(R) MKL-DNN v" + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
         std::to_string(version.patch) + " (Git Hash " + version.hash + ")\n";
}

std::string dnn_runtime() {
  switch (dnnl_version()->cpu_runtime) {
    case DNNL_RUNTIME_OMP: return "OMP";
    case DNNL_RUNTIME_TBB: return "TBB";
    case DNNL_RUNTIME_SEQ: return "SEQ";
    case DNNL_RUNTIME_THREADPOOL: return "THREADPOOL";
    default: return "unknown";
  }
}

}  // namespace libraries

namespace dnn {
namespace {

using dnnl::memory;
using Key = std::vector<std::int64_t>;

constexpr auto kFloat = memory::data_type::f32;

// Never destroyed: oneDNN may be gone by the time of exit handlers.
const dnnl::engine& cpu() {
  static const auto* engine = std::make_unique<dnnl::engine>(dnnl::engine::kind::cpu, 0).release();
  return *engine;
}

dnnl::primitive_attr user_scratchpad() {
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

memory allocate(const memory::desc& layout, std::vector<std::shared_ptr<Storage>>& keep) {
  if (layout.get_size() == 0) return memory(layout, cpu(), nullptr);
  keep.push_back(Storage::allocate(layout.get_size()));
  return memory(layout, cpu(), keep.back()->data());
}

class Kernel {
 public:
  Kernel(dnnl::primitive primitive, memory::desc scratchpad, std::vector<Operand> inputs, Operand output)
      : primitive_(std::move(primitive)), scratchpad_(std::move(scratchpad)), inputs_(std::move(inputs)),
        output_(std::move(output)) {}

  void run(std::initializer_list<const float*> inputs, float* output) const {
    std::vector<std::shared_ptr<Storage>> keep;
    dnnl::stream stream(cpu());
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SCRATCHPAD, allocate(scratchpad_, keep)}};
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
};

// The least recently used kernel goes when there are too many: models with changing shapes must not grow for ever.
class KernelCache {
 public:
  std::shared_ptr<const Kernel> find_or_make(const Key& key, const std::function<Kernel()>& make) {
    if (auto found = find(key)) return found;
    // Made outside the lock: it takes milliseconds, and two threads that make the same one do no harm.
    auto kernel = std::make_shared<const Kernel>(make());
    const std::lock_guard lock(mutex_);
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
    if (found == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->second;
  }

  std::mutex mutex_;
  std::list<std::pair<Key, std::shared_ptr<const Kernel>>> order_;  // most recently used first
  std::unordered_map<Key, decltype(order_)::iterator, Hash> index_;
};

KernelCache& cache() {
  static auto* const instance = std::make_unique<KernelCache>().release();
  return *instance;
}

enum KernelKind : std::int64_t { kLinear, kConvolution };

template <class Make>
void run_cached(const char* op, double work, Key key, Make make, std::initializer_list<const float*> inputs,
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

Kernel make_linear(const LinearShape& shape, bool has_bias) {
  using tag = memory::format_tag;
  const memory::desc source({shape.rows, shape.in_features}, kFloat, tag::ab);
  const memory::desc weight({shape.out_features, shape.in_features}, kFloat, tag::ab);
  const memory::desc bias = has_bias ? memory::desc({shape.out_features}, kFloat, tag::a) : memory::desc();
  const memory::desc destination({shape.rows, shape.out_features}, kFloat, tag::ab);
  const dnnl::inner_product_forward::primitive_desc description(cpu(), dnnl::prop_kind::forward_inference, source,
                                                                weight, bias, destination, user_scratchpad());
  std::vector<Operand> inputs{{DNNL_ARG_SRC, source, description.src_desc(), false},
                              {DNNL_ARG_WEIGHTS, weight, description.weights_desc(), false}};
  if (has_bias) inputs.emplace_back(DNNL_ARG_BIAS, bias, bias, false);
  return Kernel(dnnl::inner_product_forward(description), description.scratchpad_desc(), std::move(inputs),
                Operand(DNNL_ARG_DST, destination, description.dst_desc(), true));
}

// The last `dims` of depth, height and width.
memory::dims used(const ConvShape& shape, const std::array<std::int64_t, 3>& values) {
  return memory::dims(values.end() - shape.dims, values.end());
}

// The padding at the far end is what makes the sizes come out; it may be negative, when a stride skips the rest.
memory::dims far_padding(const ConvShape& s) {
  std::array<std::int64_t, 3> far{};
  const auto& from = s.transposed ? s.output : s.input;
  const auto& to = s.transposed ? s.input : s.output;
  for (std::size_t i = 0; i < 3; ++i)
    far[i] = (to[i] - 1) * s.stride[i] + (s.kernel[i] - 1) * s.dilation[i] + 1 - from[i] - s.padding[i];
  return used(s, far);
}

memory::dims joined(memory::dims head, const memory::dims& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

// Row-major, with the channels of one group exchanged where the caller has the inputs first.
memory::desc weight_layout(const ConvShape& s) {
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

template <class Primitive>
Kernel make_convolution(const ConvShape& s, bool has_bias, dnnl::algorithm algorithm) {
  using tag = memory::format_tag;
  const tag plain = s.dims == 1 ? tag::abc : s.dims == 2 ? tag::abcd : tag::abcde;
  const memory::dims source_dims = joined({s.batch, s.in_channels}, used(s, s.input));
  const memory::dims destination_dims = joined({s.batch, s.out_channels}, used(s, s.output));
  const memory::desc weight = weight_layout(s);
  const auto any = [](const memory::dims& dims) { return memory::desc(dims, kFloat, tag::any); };
  const memory::desc bias = has_bias ? memory::desc({s.out_channels}, kFloat, tag::a) : memory::desc();
  memory::dims dilation = used(s, s.dilation);
  for (auto& gaps : dilation) --gaps;  // oneDNN counts the gaps
  const typename Primitive::primitive_desc description(
      cpu(), dnnl::prop_kind::forward_inference, algorithm, any(source_dims), any(weight.get_dims()), bias,
      any(destination_dims), used(s, s.stride), dilation, used(s, s.padding), far_padding(s), user_scratchpad());
  std::vector<Operand> inputs{
      {DNNL_ARG_SRC, memory::desc(source_dims, kFloat, plain), description.src_desc(), false},
      {DNNL_ARG_WEIGHTS, weight, description.weights_desc(), false}};
  if (has_bias) inputs.emplace_back(DNNL_ARG_BIAS, bias, bias, false);
  return Kernel(Primitive(description), description.scratchpad_desc(), std::move(inputs),
                Operand(DNNL_ARG_DST, memory::desc(destination_dims, kFloat, plain), description.dst_desc(), true));
}

}  // namespace

void linear(const LinearShape& shape, const float* input, const float* weight, const float* bias, float* output) {
  // Few rows are a matter of reading the weights once, and a primitive costs 2 microseconds to call. Measured: 1 x 64
  // to 64 features, 3.5 with oneDNN and 1.7 with BLAS; 16 x 384 to 1536, 228 and 204; 128 x 768 to 768, 887 and 987.
  constexpr std::int64_t kFewRows = 32;
  if (shape.rows <= kFewRows) return gemm_dnn::linear(shape, input, weight, bias, output);
  const bool has_bias = bias != nullptr;
  double work = 1;
  for (const std::int64_t size : {shape.rows, shape.in_features, shape.out_features}) work *= static_cast<double>(size);
  run_cached(
      "linear", work, {kLinear, shape.rows, shape.in_features, shape.out_features, has_bias},
      [&] { return make_linear(shape, has_bias); }, {input, weight, bias}, output);
}

void convolution(const ConvShape& shape, const float* input, const float* weight, const float* bias, float* output) {
  // oneDNN would rearrange input and output, which costs as much as these convolutions themselves. Measured: 256 to 64
  // channels of 56 x 56, 954 microseconds and 620 as a product.
  if (gemm_dnn::is_pointwise(shape) || gemm_dnn::is_depthwise(shape))
    return gemm_dnn::convolution(shape, input, weight, bias, output);
  const bool has_bias = bias != nullptr;
  Key key{kConvolution, shape.dims,   shape.batch, shape.in_channels, shape.out_channels,
          shape.groups, shape.transposed, has_bias};
  for (const auto& extent :
       {shape.input, shape.kernel, shape.output, shape.stride, shape.padding, shape.dilation})
    key.insert(key.end(), extent.begin(), extent.end());
  double work = static_cast<double>(shape.in_channels / shape.groups) * static_cast<double>(shape.batch) *
                static_cast<double>(shape.out_channels);
  const auto& grid = shape.transposed ? shape.input : shape.output;
  for (std::size_t i = 0; i < 3; ++i) work *= static_cast<double>(shape.kernel[i] * grid[i]);
  run_cached(
      "convolution", work, std::move(key),
      [&] {
        return shape.transposed ? make_convolution<dnnl::deconvolution_forward>(
                                      shape, has_bias, dnnl::algorithm::deconvolution_direct)
                                : make_convolution<dnnl::convolution_forward>(shape, has_bias,
                                                                              dnnl::algorithm::convolution_direct);
      },
      {input, weight, bias}, output);
}

}  // namespace dnn
}  // namespace threadwheel
