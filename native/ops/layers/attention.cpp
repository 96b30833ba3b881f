// Scaled dot product attention and the fused blocks that contain it. Rows of queries are taken in blocks: scores of a
// block fit the cache whatever the length, and each block is one unit of work for the pool.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/layers/nested.h"
#include "ops/layers/normalization.h"
#include "ops/linalg/products.h"
#include "ops/shared/rows.h"
#include "ops/shared/shapes.h"
#include "ops/shared/vector_math.h"
#include "providers/blas.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

using OptionalTensor = std::optional<Tensor>;

constexpr std::int64_t kBlockRows = 128;  // queries per block: enough rows for a product to run at full speed

// Batches of matrices, [..., rows, columns].
struct Heads {
  Tensor tensor;

  // With dense rows, as products need them.
  static Heads dense(const Tensor& given) {
    const std::size_t rank = given.sizes().size();
    const bool is_dense = (given.size(rank - 1) <= 1 || given.stride(rank - 1) == 1) &&
                          (given.size(rank - 2) <= 1 || given.stride(rank - 2) >= given.size(rank - 1));
    return {is_dense ? given : given.contiguous()};
  }

  std::int64_t rows() const { return tensor.size(tensor.sizes().size() - 2); }
  std::int64_t columns() const { return tensor.size(tensor.sizes().size() - 1); }
  std::int64_t leading() const {
    return std::max<std::int64_t>(rows() > 1 ? tensor.stride(tensor.sizes().size() - 2) : 0,
                                  std::max<std::int64_t>(columns(), 1));
  }

  // Where batch number `index`, counted over `lead`, begins.
  std::int64_t offset(std::int64_t index) const {
    std::int64_t offset = 0;
    for (std::size_t i = tensor.sizes().size() - 2; i-- > 0; index /= tensor.size(i))
      offset += index % tensor.size(i) * tensor.stride(i);
    return offset;
  }
};

// What is attended to, all broadcast to one batch. `mask` is added to the scores.
struct Attention {
  Heads query, key, value;
  std::optional<Heads> mask;
  bool causal;
  double scale;
  double nothing;  // the probabilities of a row where everything is masked
};

// Scores of one row into probabilities over its first n columns, or `nothing` where everything is masked.
template <class T>
THREADWHEEL_KERNEL void softmax_row(T* scores, std::int64_t n, T scale, const T* mask, std::int64_t mask_step,
                                    T nothing) {
  // One pass each for masks of single steps, which is what vectors can read.
  if (mask == nullptr) {
    for (std::int64_t i = 0; i < n; ++i) scores[i] *= scale;
  } else if (mask_step == 1) {
    for (std::int64_t i = 0; i < n; ++i) scores[i] = scores[i] * scale + mask[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) scores[i] = scores[i] * scale + mask[i * mask_step];
  }
  const T largest = rows::max(scores, n);
  const T shift = largest == -std::numeric_limits<T>::infinity() ? T(0) : largest;
  for (std::int64_t i = 0; i < n; ++i) scores[i] = vector_math::exp(scores[i] - shift);
  const T total = rows::sum<T>(scores, n);
  const T factor = total == T(0) ? nothing : T(1) / total;
  for (std::int64_t i = 0; i < n; ++i) scores[i] *= factor;
}

// One block of rows of one batch; `weights`, where wanted, gets the probabilities: [batch, rows, keys].
template <class T>
void attend_block(const Attention& a, std::int64_t batch, std::int64_t first, std::int64_t rows, T* scores, T* out,
                  T* weights) {
  const std::int64_t length = a.query.rows(), keys = a.key.rows(), width = a.query.columns();
  const std::int64_t value_width = a.value.columns();
  const std::int64_t used = a.causal ? std::min(keys, first + rows) : keys;  // columns that any row looks at
  const T* const q = a.query.tensor.data<const T>() + a.query.offset(batch) + first * a.query.leading();
  const T* const k = a.key.tensor.data<const T>() + a.key.offset(batch);
  const T* const v = a.value.tensor.data<const T>() + a.value.offset(batch);
  blas::gemm(rows, used, width, blas::Matrix<const T>{q, a.query.leading()},
             blas::Matrix<const T>{k, a.key.leading(), true}, T(0), blas::Matrix<T>{scores, used});
  for (std::int64_t row = 0; row < rows; ++row) {
    const T* mask = nullptr;
    std::int64_t step = 0;
    if (a.mask) {
      const Tensor& m = a.mask->tensor;
      const std::size_t rank = m.sizes().size();
      step = m.stride(rank - 1);
      mask = m.data<const T>() + a.mask->offset(batch) + (first + row) * m.stride(rank - 2);
    }
    const std::int64_t seen = a.causal ? std::min(keys, first + row + 1) : keys;
    softmax_row(scores + row * used, seen, static_cast<T>(a.scale), mask, step, static_cast<T>(a.nothing));
    std::fill(scores + row * used + seen, scores + (row + 1) * used, T(0));
  }
  if (weights != nullptr)
    for (std::int64_t row = 0; row < rows; ++row)
      std::copy_n(scores + row * used, used, weights + (batch * length + first + row) * keys);
  blas::gemm(rows, value_width, used, blas::Matrix<const T>{scores, used}, blas::Matrix<const T>{v, a.value.leading()},
             T(0), blas::Matrix<T>{out + (batch * length + first) * value_width, value_width});
}

// out: [..., rows, value columns], contiguous.
template <class T>
void attend(const Attention& a, std::int64_t batches, T* out, T* weights) {
  const std::int64_t length = a.query.rows(), keys = a.key.rows();
  const std::int64_t block = std::min(kBlockRows, length), blocks = (length + block - 1) / block;
  const double work = static_cast<double>(block) * static_cast<double>(keys) * static_cast<double>(a.query.columns());
  const auto grain = static_cast<std::int64_t>(1e5 / std::max(1.0, work)) + 1;
  parallel_for(0, batches * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
    const auto scores = Storage::allocate(static_cast<std::size_t>(block * keys) * sizeof(T));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i % blocks * block;
      attend_block(a, i / blocks, first, std::min(block, length - first), reinterpret_cast<T*>(scores->data()), out,
                   weights);
    }
  });
}

// A mask as numbers to add: false is minus infinity.
Tensor additive(const Tensor& mask, DType dtype) {
  if (mask.dtype() != DType::kBool) return convert(mask, dtype, "scaled_dot_product_attention");
  Tensor out = Tensor::empty(mask.sizes(), dtype);
  const Tensor given = mask.contiguous();
  visit_dtype(FloatingTypes(), dtype, "scaled_dot_product_attention", [&]<class T>() {
    for (std::int64_t i = 0; i < out.numel(); ++i)
      out.data<T>()[i] = given.data<const bool>()[i] ? T(0) : -std::numeric_limits<T>::infinity();
  });
  return out;
}

std::span<const std::int64_t> leading(const Tensor& tensor) {
  const std::span<const std::int64_t> sizes = tensor.sizes();
  return sizes.first(sizes.size() - 2);
}

Dims joined(std::span<const std::int64_t> lead, std::int64_t rows, std::int64_t columns) {
  Dims sizes(lead.size() + 2);
  std::copy(lead.begin(), lead.end(), sizes.begin());
  sizes[lead.size()] = rows;
  sizes[lead.size() + 1] = columns;
  return sizes;
}

std::int64_t rows_of(const Tensor& t) { return t.size(t.sizes().size() - 2); }
std::int64_t columns_of(const Tensor& t) { return t.size(t.sizes().size() - 1); }

constexpr const char* kName = "scaled_dot_product_attention";

void check_attention(const Tensor& query, const Tensor& key, const Tensor& value, const OptionalTensor& mask,
                     double dropout, bool causal) {
  for (const auto& [name, tensor] : {std::pair("query", &query), std::pair("key", &key), std::pair("value", &value)})
    if (tensor->dim() < 2)
      fail_value(std::string(kName) + ": " + describe(name, *tensor) + "; expected 2 dimensions or more");
  if (key.dtype() != query.dtype() || value.dtype() != query.dtype())
    fail_value(std::string(kName) + ": query is " + dtype_name(query.dtype()) + ", key " + dtype_name(key.dtype()) +
               " and value " + dtype_name(value.dtype()) + "; they must have the same dtype");
  if (columns_of(query) != columns_of(key) || rows_of(key) != rows_of(value))
    fail_value(std::string(kName) + ": " + describe("query", query) + ", " + describe("key", key) + " and " +
               describe("value", value) +
               "; query and key must agree in the last size, key and value in the one before");
  if (dropout != 0)
    throw Error(ErrorCode::kUnsupported, std::string(kName) + ": dropout_p is " + std::to_string(dropout) +
                                             "; only 0 is supported");
  if (mask && causal)
    fail_value(std::string(kName) + ": attn_mask is given and is_causal is true; use one of them");
}

// [..., heads, length, width] of query and the fewer heads of key and value as [..., shared, repeat, length, width].
Tensor split_heads(const Tensor& tensor, std::int64_t shared, std::int64_t repeat) {
  const std::size_t dim = tensor.sizes().size() - 3;
  const Tensor view = unsqueeze_view(tensor, dim + 1);
  Dims sizes = view.sizes(), strides = view.strides();
  sizes[dim] = shared;
  sizes[dim + 1] = repeat;
  strides[dim] = tensor.stride(dim) * repeat;
  strides[dim + 1] = repeat == 1 ? 0 : tensor.stride(dim);
  return view.as_strided(std::move(sizes), std::move(strides));
}

// The result and, where wanted, the probabilities.
std::tuple<Tensor, Tensor> attend_any(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const OptionalTensor& mask, bool causal, std::optional<double> scale,
                                      bool want_weights, double nothing = 0) {
  const Dims lead = broadcast_sizes(kName, broadcast_sizes(kName, leading(query), leading(key)), leading(value));
  const std::int64_t length = rows_of(query), keys = rows_of(key), width = columns_of(query);
  Tensor out = Tensor::empty(joined(lead, length, columns_of(value)), query.dtype()), weights;
  if (want_weights) weights = zeros(joined(lead, length, keys), query.dtype());
  if (out.numel() == 0) return {out, weights};
  if (keys == 0) return {zeros(out.sizes(), query.dtype()), weights};
  const auto wide = [&](const Tensor& t) {
    return Heads::dense(broadcast_to(t, joined(lead, rows_of(t), columns_of(t))));
  };
  std::optional<Heads> added;
  if (mask) {
    const Dims sizes = joined(lead, length, keys);
    if (!std::ranges::equal(broadcast_sizes(kName, mask->sizes(), sizes), sizes))
      fail_value(std::string(kName) + ": " + describe("attn_mask", *mask) + "; expected sizes that broadcast to " +
                 to_string(sizes));
    added = Heads{broadcast_to(additive(*mask, query.dtype()), sizes)};
  }
  const Attention a{wide(query), wide(key), wide(value), added, causal,
                    scale.value_or(1.0 / std::sqrt(static_cast<double>(std::max<std::int64_t>(width, 1)))),
                    nothing};
  visit_dtype(FloatingTypes(), query.dtype(), kName, [&]<class T>() {
    attend<T>(a, count_elements(lead), out.data<T>(), want_weights ? weights.data<T>() : nullptr);
  });
  return {out, weights};
}

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const OptionalTensor& mask, double dropout, bool causal,
                                    std::optional<double> scale, bool enable_gqa) {
  check_attention(query, key, value, mask, dropout, causal);
  if (!enable_gqa || query.dim() < 3 || key.dim() < 3)
    return std::get<0>(attend_any(query, key, value, mask, causal, scale, false));
  const std::size_t dim = query.sizes().size() - 3;
  const std::int64_t heads = query.size(dim), shared = key.size(key.sizes().size() - 3);
  if (shared < 1 || heads % shared != 0 || value.dim() != key.dim() || value.size(key.sizes().size() - 3) != shared)
    fail_value(std::string(kName) + ": " + describe("query", query) + " and " + describe("key", key) +
               "; with enable_gqa, query's heads must be a multiple of those that key and value have");
  if (heads == shared) return std::get<0>(attend_any(query, key, value, mask, causal, scale, false));
  OptionalTensor split_mask = mask;
  if (mask && mask->dim() >= 3)
    split_mask = mask->size(mask->sizes().size() - 3) == 1 ? unsqueeze_view(*mask, mask->sizes().size() - 2)
                                                           : split_heads(*mask, shared, heads / shared);
  const Tensor out = std::get<0>(attend_any(split_heads(query, shared, heads / shared), split_heads(key, shared, 1),
                                            split_heads(value, shared, 1), split_mask, causal, scale, false));
  Dims sizes = query.sizes();
  sizes[sizes.size() - 1] = columns_of(value);
  return reshaped(out, sizes);
}

// Whether the batches of scores are those of query, keys and value, whatever mask is added.
bool keeps_sizes(const Tensor& query, const Tensor& keys, const OptionalTensor& mask) {
  if (!mask) return true;
  const Dims lead = broadcast_sizes("matmul", leading(query), leading(keys));
  const Dims scores = joined(lead, rows_of(query), columns_of(keys));
  return mask->dtype() == query.dtype() && std::ranges::equal(broadcast_sizes("add", mask->sizes(), scores), scores);
}

// softmax(query @ keys * scale + mask) @ value. keys: [..., width, length], as the product takes it. Tensors that the
// kernel does not take go through the ops that this stands for, and get their errors.
Tensor written_out_attention(const Tensor& query, const Tensor& keys, const Tensor& value, const OptionalTensor& mask,
                             double scale) {
  const DType dtype = query.dtype();
  const bool fits = (dtype == DType::kFloat32 || dtype == DType::kFloat64) && keys.dtype() == dtype &&
                    value.dtype() == dtype && query.dim() >= 2 && keys.dim() >= 2 && value.dim() >= 2 &&
                    columns_of(query) == rows_of(keys) && columns_of(keys) == rows_of(value) &&
                    keeps_sizes(query, keys, mask);
  if (fits) {
    const Tensor key = transpose_view(keys, keys.sizes().size() - 2, keys.sizes().size() - 1);
    return std::get<0>(
        attend_any(query, key, value, mask, false, scale, false, std::numeric_limits<double>::quiet_NaN()));
  }
  Tensor scores = aten("matmul", {query, keys});
  if (scale != 1) scores = aten("mul.Scalar", {scores, scale});
  if (mask) scores = aten("add.Tensor", {scores, *mask});
  return aten("matmul", {aten("softmax.int", {scores, std::int64_t{-1}}), value});
}

std::tuple<Tensor, Tensor> attention_math(const Tensor& query, const Tensor& key, const Tensor& value,
                                          const OptionalTensor& mask, double dropout, bool causal,
                                          const OptionalTensor& dropout_mask, std::optional<double> scale,
                                          bool enable_gqa) {
  check_attention(query, key, value, mask, dropout, causal);
  if (dropout_mask || enable_gqa)
    throw Error(ErrorCode::kUnsupported,
                "_scaled_dot_product_attention_math: dropout_mask or enable_gqa is given; neither is supported");
  return attend_any(query, key, value, mask, causal, scale, true);
}

// A mask of the fused blocks, true, or a number that is not zero, where masked: [length, length] (type 0),
// [batch, length] (1) or of all scores.
OptionalTensor allowed(const OptionalTensor& mask, std::optional<std::int64_t> type, const Tensor& query) {
  if (!mask) return std::nullopt;
  Tensor inverted = Tensor::empty(mask->sizes(), DType::kBool);
  const Tensor given = convert(*mask, DType::kBool, "_native_multi_head_attention").contiguous();
  for (std::int64_t i = 0; i < inverted.numel(); ++i) inverted.data<bool>()[i] = !given.data<const bool>()[i];
  const bool padding =
      type ? *type == 1 : mask->dim() == 2 && mask->size(0) == query.size(0) && mask->size(0) != mask->size(1);
  if (padding && mask->dim() == 2) return unsqueeze_view(unsqueeze_view(inverted, 1), 1);
  return inverted;
}

struct Projections {
  const Tensor &qkv_weight, &qkv_bias, &proj_weight, &proj_bias;
};

// One of query, key and value, [batch, length, embed], as [batch, heads, length, embed / heads].
Tensor project(const Tensor& input, const Projections& p, std::int64_t part, std::int64_t embed, std::int64_t heads) {
  const Tensor out = linear(input, narrow_view(p.qkv_weight, 0, part * embed, embed),
                            narrow_view(p.qkv_bias, 0, part * embed, embed));
  return transpose_view(reshaped(out, Dims{input.size(0), input.size(1), heads, embed / heads}), 1, 2);
}

void check_multi_head(const Tensor& query, const Tensor& key, const Tensor& value, const Projections& p,
                      std::int64_t embed, std::int64_t heads) {
  for (const Tensor* tensor : {&query, &key, &value})
    if (tensor->dim() != 3 || tensor->size(2) != embed || tensor->size(0) != query.size(0))
      fail_value("_native_multi_head_attention: " + describe("an input", *tensor) + "; expected [batch, length, " +
                 std::to_string(embed) + "]");
  if (heads < 1 || embed < 1 || embed % heads != 0)
    fail_value("_native_multi_head_attention: embed_dim is " + std::to_string(embed) + " and num_head " +
               std::to_string(heads) + "; the first must be a multiple of the second");
  const std::int64_t weight[] = {3 * embed, embed}, bias[] = {3 * embed};
  if (!std::ranges::equal(p.qkv_weight.sizes(), weight) || !std::ranges::equal(p.qkv_bias.sizes(), bias))
    fail_value("_native_multi_head_attention: " + describe("qkv_weight", p.qkv_weight) + " and " +
               describe("qkv_bias", p.qkv_bias) + "; expected " + to_string(weight) + " and " + to_string(bias));
}

std::tuple<Tensor, Tensor> multi_head(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const Projections& p, std::int64_t embed, std::int64_t heads,
                                      const OptionalTensor& mask, bool want_weights) {
  check_multi_head(query, key, value, p, embed, heads);
  Tensor q, k, v;
  if (query.is(key) && key.is(value)) {  // self attention: one product for the three
    const Tensor all = reshaped(linear(query, p.qkv_weight, p.qkv_bias),
                                Dims{query.size(0), query.size(1), 3, heads, embed / heads});
    const auto part = [&](std::int64_t i) { return transpose_view(select_view(all, 2, i), 1, 2); };
    q = part(0);
    k = part(1);
    v = part(2);
  } else {
    q = project(query, p, 0, embed, heads);
    k = project(key, p, 1, embed, heads);
    v = project(value, p, 2, embed, heads);
  }
  const auto [mixed, weights] =
      attend_any(q, k, v, mask, false, std::nullopt, want_weights, std::numeric_limits<double>::quiet_NaN());
  return {linear(reshaped(transpose_view(mixed, 1, 2), query.sizes()), p.proj_weight, p.proj_bias), weights};
}

// The mean over heads: [batch, heads, rows, keys] -> [batch, rows, keys].
Tensor average_heads(const Tensor& weights) {
  const std::int64_t batch = weights.size(0), heads = weights.size(1), inner = weights.size(2) * weights.size(3);
  Tensor out = Tensor::empty(Dims{batch, weights.size(2), weights.size(3)}, weights.dtype());
  visit_dtype(FloatingTypes(), weights.dtype(), kName, [&]<class T>() {
    const T* x = weights.data<const T>();
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t i = 0; i < inner; ++i) {
        T sum(0);
        for (std::int64_t h = 0; h < heads; ++h) sum += x[(b * heads + h) * inner + i];
        out.data<T>()[b * inner + i] = sum / static_cast<T>(heads);
      }
  });
  return out;
}

std::tuple<Tensor, Value> native_multi_head_attention(
    const Tensor& query, const Tensor& key, const Tensor& value, std::int64_t embed, std::int64_t heads,
    const Tensor& qkv_weight, const Tensor& qkv_bias, const Tensor& proj_weight, const Tensor& proj_bias,
    const OptionalTensor& mask, bool need_weights, bool average_weights, std::optional<std::int64_t> mask_type) {
  const Projections p{qkv_weight, qkv_bias, proj_weight, proj_bias};
  const auto [out, weights] =
      multi_head(query, key, value, p, embed, heads, allowed(mask, mask_type, query), need_weights);
  if (!need_weights) return {out, Value()};
  return {out, Value(average_weights ? average_heads(weights) : weights)};
}

struct Relu {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }
};

struct Gelu {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return T(0.5) * x * (T(1) + std::erf(x * T(0.70710678118654752440)));
  }
};

struct Plus {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return x + y;
  }
};

constexpr ElementwiseRule kRule{.op = "_transformer_encoder_layer_fwd"};

template <class Function>
Tensor activate(const Tensor& x, Function function) {
  return elementwise(FloatingTypes(), kRule, {x}, nullptr, [&]<class T>() { return function; });
}

Tensor plus(const Tensor& x, const Tensor& y) {
  return elementwise(FloatingTypes(), kRule, {x, y}, nullptr, []<class T>() { return Plus(); });
}

Tensor transformer_encoder_layer(const Tensor& src, std::int64_t embed, std::int64_t heads, const Tensor& qkv_weight,
                                 const Tensor& qkv_bias, const Tensor& proj_weight, const Tensor& proj_bias,
                                 bool use_gelu, bool norm_first, double eps, const Tensor& norm_weight_1,
                                 const Tensor& norm_bias_1, const Tensor& norm_weight_2, const Tensor& norm_bias_2,
                                 const Tensor& ffn_weight_1, const Tensor& ffn_bias_1, const Tensor& ffn_weight_2,
                                 const Tensor& ffn_bias_2, const OptionalTensor& mask,
                                 std::optional<std::int64_t> mask_type) {
  const Projections p{qkv_weight, qkv_bias, proj_weight, proj_bias};
  const std::int64_t normalized[] = {embed};
  const auto norm_1 = [&](const Tensor& x) {
    return layer_norm(x, normalized, norm_weight_1, norm_bias_1, eps, false);
  };
  const auto norm_2 = [&](const Tensor& x) {
    return layer_norm(x, normalized, norm_weight_2, norm_bias_2, eps, false);
  };
  const Tensor first = norm_first ? norm_1(src) : src;
  Tensor x =
      plus(std::get<0>(multi_head(first, first, first, p, embed, heads, allowed(mask, mask_type, src), false)), src);
  if (!norm_first) x = norm_1(x);
  const Tensor hidden = linear(norm_first ? norm_2(x) : x, ffn_weight_1, ffn_bias_1);
  x = plus(linear(use_gelu ? activate(hidden, Gelu()) : activate(hidden, Relu()), ffn_weight_2, ffn_bias_2), x);
  return norm_first ? x : norm_2(x);
}

// Of a nested batch each sequence by itself: as if padded, with the padding masked out.
Tensor transformer_encoder_layer_of_any(
    const Tensor& src, std::int64_t embed, std::int64_t heads, const Tensor& qkv_weight, const Tensor& qkv_bias,
    const Tensor& proj_weight, const Tensor& proj_bias, bool use_gelu, bool norm_first, double eps,
    const Tensor& norm_weight_1, const Tensor& norm_bias_1, const Tensor& norm_weight_2, const Tensor& norm_bias_2,
    const Tensor& ffn_weight_1, const Tensor& ffn_bias_1, const Tensor& ffn_weight_2, const Tensor& ffn_bias_2,
    const OptionalTensor& mask, std::optional<std::int64_t> mask_type) {
  const auto run = [&](const Tensor& x, const OptionalTensor& masked, std::optional<std::int64_t> type) {
    return in_float<transformer_encoder_layer>(
        x, embed, heads, qkv_weight, qkv_bias, proj_weight, proj_bias, use_gelu, norm_first, eps, norm_weight_1,
        norm_bias_1, norm_weight_2, norm_bias_2, ffn_weight_1, ffn_bias_1, ffn_weight_2, ffn_bias_2, masked, type);
  };
  if (!nested::is_nested(src)) return run(src, mask, mask_type);
  constexpr const char* kOp = "_transformer_encoder_layer_fwd";
  if (mask) fail_value(std::string(kOp) + ": the batch is nested and there is a mask; expected one of the two");
  return nested::with_values(kOp, src, run(nested::padded(kOp, src), nested::padding_mask(kOp, src), 1));
}

constexpr OpDefinition kOps[] = {
    define_op<in_float<scaled_dot_product_attention>>(
        "aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float "
        "dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor"),
    define_op<written_out_attention>(
        "threadwheel::attention(Tensor query, Tensor keys, Tensor value, Tensor? mask, float scale) -> Tensor"),
    define_op<in_float<attention_math>>(
        "aten::_scaled_dot_product_attention_math(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
        "float dropout_p=0., bool is_causal=False, Tensor? dropout_mask=None, *, float? scale=None, bool "
        "enable_gqa=False) -> (Tensor, Tensor)"),
    define_op<native_multi_head_attention>(
        "aten::_native_multi_head_attention(Tensor query, Tensor key, Tensor value, int embed_dim, int num_head, "
        "Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, Tensor? mask=None, bool "
        "need_weights=True, bool average_attn_weights=True, int? mask_type=None) -> (Tensor, Tensor)"),
    define_op<transformer_encoder_layer_of_any>(
        "aten::_transformer_encoder_layer_fwd(Tensor src, int embed_dim, int num_heads, Tensor qkv_weight, Tensor "
        "qkv_bias, Tensor proj_weight, Tensor proj_bias, bool use_gelu, bool norm_first, float eps, Tensor "
        "norm_weight_1, Tensor norm_bias_1, Tensor norm_weight_2, Tensor norm_bias_2, Tensor ffn_weight_1, Tensor "
        "ffn_bias_1, Tensor ffn_weight_2, Tensor ffn_bias_2, Tensor? mask=None, int? mask_type=None) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> attention_ops() { return kOps; }

}  // namespace threadwheel
