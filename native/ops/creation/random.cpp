// Random tensors. Elements are drawn one after another, in the order of memory as torch's: what a seed gives does not
// depend on the number of threads. Nothing makes a generator that could be passed: those arguments are None.
#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "ops/compose.h"
#include "ops/creation/generator.h"
#include "ops/families.h"
#include "ops/shared/options.h"
#include "ops/shared/shapes.h"
#include "tensor/layout.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using Sizes = std::span<const std::int64_t>;
using MaybeDType = std::optional<DType>;

void check_floating(const char* op, DType dtype) {
  if (dtype_info(dtype).category != DTypeCategory::kFloating)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": unsupported dtype " + dtype_name(dtype) +
                                             "; supported are float16, bfloat16, float32, float64");
}

void manual_seed(std::int64_t seed) { Draws().seed(static_cast<std::uint64_t>(seed)); }

// --- each distribution, into a tensor -------------------------------------------------------------------------------

// Each element as sample(draws) gives it, a T that is converted; in the order of memory, as torch draws.
template <class T, class Sample>
Tensor draw(const char* op, const Tensor& out, Sample sample) {
  check_writable(out, op);
  const Tensor made = empty_like(out, DTypeOf<T>::value);
  Draws draws;
  std::generate_n(made.data<T>(), made.numel(), [&] { return sample(draws); });
  copy_into(out, made, op);
  return out;
}

Tensor draw_uniform(const char* op, const Tensor& out, double from, double to) {
  check_floating(op, out.dtype());
  if (!(from <= to))
    fail_value(std::string(op) + ": from is " + std::to_string(from) + " and to is " + std::to_string(to) +
               "; from must not exceed to");
  if (out.dtype() == DType::kFloat64)
    return draw<double>(op, out, [&](Draws& draws) { return draws.uniform<double>() * (to - from) + from; });
  const auto least = static_cast<float>(from), most = static_cast<float>(to);
  return draw<float>(op, out, [&](Draws& draws) { return draws.uniform<float>() * (most - least) + least; });
}

constexpr std::int64_t kPairs = 8;
constexpr std::int64_t kNormals = 2 * kPairs;  // that are made at once, from as many uniform numbers

// Box and Muller's pairs: uniform numbers i and i + 8 become two normal ones.
template <class T>
void make_normal(T* numbers, T mean, T deviation) {
  for (std::int64_t i = 0; i < kPairs; ++i) {
    const T radius = std::sqrt(T(-2) * std::log(T(1) - numbers[i]));
    const T angle = T(2) * std::numbers::pi_v<T> * numbers[i + kPairs];
    numbers[i] = radius * std::cos(angle) * deviation + mean;
    numbers[i + kPairs] = radius * std::sin(angle) * deviation + mean;
  }
}

// n numbers, 16 or more; a last piece that is no whole one is drawn again, together with those before it.
template <class T>
void draw_normals(T* numbers, std::int64_t n, T mean, T deviation) {
  Draws draws;
  const auto uniform = [&] { return draws.uniform<T>(); };
  std::generate_n(numbers, n, uniform);
  for (std::int64_t i = 0; i + kNormals <= n; i += kNormals) make_normal(numbers + i, mean, deviation);
  if (n % kNormals == 0) return;
  std::generate_n(numbers + n - kNormals, kNormals, uniform);
  make_normal(numbers + n - kNormals, mean, deviation);
}

Tensor draw_normal(const char* op, const Tensor& out, double mean, double deviation) {
  check_floating(op, out.dtype());
  if (!(deviation >= 0)) fail_value(std::string(op) + ": std is " + std::to_string(deviation) + "; expected 0 or more");
  if (out.numel() < kNormals || !out.is_contiguous())
    return draw<double>(op, out, [&](Draws& draws) { return draws.normal() * deviation + mean; });
  check_writable(out, op);
  const Tensor made = Tensor::empty(out.sizes(), is_half(out.dtype()) ? DType::kFloat32 : out.dtype());
  visit_dtype(FloatingTypes(), made.dtype(), op, [&]<class T>() {
    draw_normals(made.data<T>(), made.numel(), static_cast<T>(mean), static_cast<T>(deviation));
  });
  copy_into(out, made, op);
  return out;
}

// Integers base + [0, range), where a range of 0 stands for 2^64.
Tensor draw_integers(const char* op, const Tensor& out, std::int64_t base, std::uint64_t range) {
  constexpr std::uint64_t kWideRange = std::uint64_t{1} << 28;  // from where torch draws 64 bits
  return draw<std::int64_t>(op, out, [&](Draws& draws) {
    const std::uint64_t bits = range == 0 || range >= kWideRange ? draws.wide_bits() : draws.bits();
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(base) + (range == 0 ? bits : bits % range));
  });
}

Tensor draw_between(const char* op, const Tensor& out, std::int64_t low, std::int64_t high) {
  if (low >= high)
    fail_value(std::string(op) + ": the least number is " + std::to_string(low) + " and the end " +
               std::to_string(high) + "; the end, which is not included, must be greater");
  check_fits(op, low, out.dtype());
  check_fits(op, high - 1, out.dtype());
  return draw_integers(op, out, low, static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low));
}

// The largest integer up to which a dtype holds every one.
std::int64_t largest_integer(const char* op, DType dtype) {
  switch (dtype) {
    case DType::kBool: return 1;
    case DType::kFloat16: return std::int64_t{1} << 11;
    case DType::kBFloat16: return std::int64_t{1} << 8;
    case DType::kFloat32: return std::int64_t{1} << 24;
    case DType::kFloat64: return std::int64_t{1} << 53;
    default: break;
  }
  std::int64_t largest = 0;
  visit_dtype(IntegerTypes(), dtype, op, [&]<class T>() { largest = std::numeric_limits<T>::max(); });
  return largest;
}

// --- in place -------------------------------------------------------------------------------------------------------

Tensor uniform_into(const Tensor& self, double from, double to, const Value& /*generator*/) {
  return draw_uniform("uniform_", self, from, to);
}

Tensor normal_into(const Tensor& self, double mean, double deviation, const Value& /*generator*/) {
  return draw_normal("normal_", self, mean, deviation);
}

Tensor exponential_into(const Tensor& self, double lambda, const Value& /*generator*/) {
  check_floating("exponential_", self.dtype());
  if (!(lambda > 0)) fail_value("exponential_: lambd is " + std::to_string(lambda) + "; expected more than 0");
  return draw<double>("exponential_", self, [&](Draws& draws) { return draws.exponential() / lambda; });
}

void check_probability(const char* op, double p) {
  if (!(p >= 0 && p <= 1)) fail_value(std::string(op) + ": p is " + std::to_string(p) + "; expected 0 to 1");
}

Tensor bernoulli_into(const Tensor& self, double p, const Value& /*generator*/) {
  check_probability("bernoulli_", p);
  return draw<bool>("bernoulli_", self, [&](Draws& draws) { return draws.uniform<double>() < p; });
}

// Each element has a probability of its own; p broadcasts.
Tensor bernoulli_into_tensor(const Tensor& self, const Tensor& p, const Value& /*generator*/) {
  check_floating("bernoulli_", p.dtype());
  const bool wide = p.dtype() == DType::kFloat64;
  const Tensor limits = empty_like(self, DType::kFloat64);  // in the order of the draws
  convert_into(limits, broadcast_to(p, self.sizes()), "bernoulli_");
  const double* limit = limits.data<double>();
  return draw<bool>("bernoulli_", self, [&](Draws& draws) {
    check_probability("bernoulli_", *limit);
    return (wide ? draws.uniform<double>() : static_cast<double>(draws.uniform<float>())) < *limit++;
  });
}

Tensor random_into(const Tensor& self, const Value& /*generator*/) {
  const auto range = static_cast<std::uint64_t>(largest_integer("random_", self.dtype())) + 1;
  const bool wide = self.dtype() == DType::kInt64 || self.dtype() == DType::kFloat64;
  return draw<std::int64_t>("random_", self, [&](Draws& draws) {
    return static_cast<std::int64_t>((wide ? draws.wide_bits() : draws.bits()) % range);
  });
}

Tensor random_from_into(const Tensor& self, std::int64_t from, std::optional<std::int64_t> to, const Value& /*generator*/) {
  if (to) return draw_between("random_", self, from, *to);
  const auto last = static_cast<std::uint64_t>(largest_integer("random_", self.dtype()));
  check_fits("random_", from, self.dtype());
  return draw_integers("random_", self, from, last - static_cast<std::uint64_t>(from) + 1);
}

Tensor random_to_into(const Tensor& self, std::int64_t to, const Value& generator) {
  return random_from_into(self, 0, to, generator);
}

// --- of given sizes, and like a tensor ------------------------------------------------------------------------------

Tensor empty_of(const char* op, Sizes size, DType dtype, const Value& layout, const Value& device) {
  check_layout(op, layout);
  check_device(op, device);
  return Tensor::empty(size, dtype);
}

Tensor empty_as(const char* op, const Tensor& self, MaybeDType dtype, const Value& layout, const Value& device,
                const Value& memory_format) {
  check_memory_format(op, memory_format);
  const Tensor out = empty_of(op, self.sizes(), dtype.value_or(self.dtype()), layout, device);
  return format_or_preserve(memory_format) == kPreserveFormat ? ordered_as(self, out) : out;
}

Tensor rand(Sizes size, MaybeDType dtype, const Value& layout, const Value& device, const Value& /*pin_memory*/) {
  return draw_uniform("rand", empty_of("rand", size, dtype.value_or(DType::kFloat32), layout, device), 0, 1);
}

Tensor rand_like(const Tensor& self, MaybeDType dtype, const Value& layout, const Value& device,
                 const Value& /*pin_memory*/, const Value& memory_format) {
  return draw_uniform("rand_like", empty_as("rand_like", self, dtype, layout, device, memory_format), 0, 1);
}

Tensor randn(Sizes size, MaybeDType dtype, const Value& layout, const Value& device, const Value& /*pin_memory*/) {
  return draw_normal("randn", empty_of("randn", size, dtype.value_or(DType::kFloat32), layout, device), 0, 1);
}

Tensor randn_like(const Tensor& self, MaybeDType dtype, const Value& layout, const Value& device,
                  const Value& /*pin_memory*/, const Value& memory_format) {
  return draw_normal("randn_like", empty_as("randn_like", self, dtype, layout, device, memory_format), 0, 1);
}

Tensor randint_from(std::int64_t low, std::int64_t high, Sizes size, MaybeDType dtype, const Value& layout,
                    const Value& device, const Value& /*pin_memory*/) {
  return draw_between("randint", empty_of("randint", size, dtype.value_or(DType::kInt64), layout, device), low, high);
}

Tensor randint(std::int64_t high, Sizes size, MaybeDType dtype, const Value& layout, const Value& device,
               const Value& pin_memory) {
  return randint_from(0, high, size, dtype, layout, device, pin_memory);
}

Tensor randint_like_from(const Tensor& self, std::int64_t low, std::int64_t high, MaybeDType dtype, const Value& layout,
                         const Value& device, const Value& /*pin_memory*/, const Value& memory_format) {
  return draw_between("randint_like", empty_as("randint_like", self, dtype, layout, device, memory_format), low, high);
}

Tensor randint_like(const Tensor& self, std::int64_t high, MaybeDType dtype, const Value& layout, const Value& device,
                    const Value& pin_memory, const Value& memory_format) {
  return randint_like_from(self, 0, high, dtype, layout, device, pin_memory, memory_format);
}

// 0 to n - 1 in a random order: each place swaps with itself or one behind it.
Tensor randperm(std::int64_t n, MaybeDType dtype, const Value& layout, const Value& device,
                const Value& /*pin_memory*/) {
  if (n < 0) fail_value("randperm: n is " + std::to_string(n) + "; expected 0 or more");
  const Tensor out = empty_of("randperm", Dims{n}, DType::kInt64, layout, device);
  auto* const places = out.data<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) places[i] = i;
  Draws draws;
  for (std::int64_t i = 0; i + 1 < n; ++i) std::swap(places[i], places[i + draws.bits() % (n - i)]);
  return convert(out, dtype.value_or(DType::kInt64), "randperm");
}

Tensor bernoulli_p(const Tensor& self, double p, const Value& generator) {
  return bernoulli_into(Tensor::empty(self.sizes(), self.dtype()), p, generator);
}

Tensor bernoulli_tensor(const Tensor& self, const Tensor& p, const Value& generator) {
  return bernoulli_into_tensor(Tensor::empty(self.sizes(), self.dtype()), p, generator);
}

Tensor bernoulli(const Tensor& self, const Value& generator) { return bernoulli_tensor(self, self, generator); }

Tensor normal_of_mean(const Tensor& mean, double deviation, const Value& /*generator*/) {
  return aten("add.Tensor", {draw_normal("normal", Tensor::empty(mean.sizes(), mean.dtype()), 0, deviation), mean});
}

Tensor normal_of_both(const Tensor& mean, const Tensor& deviation, const Value& /*generator*/) {
  const Dims sizes = broadcast_sizes("normal", mean.sizes(), deviation.sizes());
  const Tensor noise = draw_normal("normal", Tensor::empty(sizes, promote_types(mean.dtype(), deviation.dtype())), 0, 1);
  return aten("add.Tensor", {aten("mul.Tensor", {noise, deviation}), mean});
}

Tensor normal_of_deviation(double mean, const Tensor& deviation, const Value& generator) {
  return normal_of_both(scalar_tensor(mean, deviation.dtype()), deviation, generator);
}

Tensor normal_of_size(double mean, double deviation, Sizes size, const Value& /*generator*/, MaybeDType dtype,
                      const Value& layout, const Value& device, const Value& /*pin_memory*/) {
  const Tensor out = empty_of("normal", size, dtype.value_or(DType::kFloat32), layout, device);
  return draw_normal("normal", out, mean, deviation);
}

// --- samples of a discrete distribution -----------------------------------------------------------------------------

void check_weights(const Tensor& weights, std::int64_t num_samples, bool replacement) {
  check_floating("multinomial", weights.dtype());
  if (weights.dim() != 1 && weights.dim() != 2)
    fail_value("multinomial: " + describe("self", weights) + "; expected 1 or 2 dimensions");
  const std::int64_t n = weights.size(weights.sizes().size() - 1);
  if (num_samples < 1 || (!replacement && num_samples > n))
    fail_value("multinomial: num_samples is " + std::to_string(num_samples) + " of " + std::to_string(n) +
               " categories; expected 1 or more, and without replacement no more than there are");
  const Tensor wide = copy_of(convert(weights, DType::kFloat64, "multinomial"));
  const double* row = wide.data<double>();
  for (const double* const end = row + wide.numel(); row != end; row += n) {
    const double sum = std::accumulate(row, row + n, 0.0);
    if (!(sum > 0) || !std::isfinite(sum) || std::any_of(row, row + n, [](double weight) { return !(weight >= 0); }))
      fail_value("multinomial: a distribution has negative weights, or a sum that is 0, infinite or not a number; "
                 "expected weights of 0 or more, not all 0");
  }
}

// With replacement: places of uniform numbers in the running sum of each row.
template <class T>
void sample_rows(const T* weights, std::int64_t rows, std::int64_t n, std::int64_t num_samples, std::int64_t* out) {
  Draws draws;
  std::vector<T> sums(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < rows; ++i) {
    std::partial_sum(weights + i * n, weights + (i + 1) * n, sums.begin());
    const T total = sums.back();
    for (T& sum : sums) sum /= total;
    for (std::int64_t k = 0; k < num_samples; ++k) {
      const auto found = std::ranges::lower_bound(sums, draws.uniform<double>());
      *out++ = std::min(n - 1, static_cast<std::int64_t>(found - sums.begin()));
    }
  }
}

Tensor multinomial(const Tensor& self, std::int64_t num_samples, bool replacement, const Value& /*generator*/) {
  check_weights(self, num_samples, replacement);
  if (!replacement || num_samples == 1) {
    // The least of exponential numbers with these rates: each category is it with its probability.
    const Tensor rates = exponential_into(empty_like(self, self.dtype()), 1, {});
    const Tensor places = aten("div.Tensor", {self, rates});
    return num_samples == 1 ? aten("argmax", {places, std::int64_t{-1}, true})
                            : aten_value("topk", {places, num_samples}).to_tuple()[1].to_tensor();
  }
  Dims sizes = self.sizes();
  std::int64_t& last = sizes[sizes.size() - 1];
  const std::int64_t n = std::exchange(last, num_samples), rows = n == 0 ? 0 : self.numel() / n;
  const Tensor out = Tensor::empty(sizes, DType::kInt64);
  const Tensor weights = copy_of(is_half(self.dtype()) ? convert(self, DType::kFloat32, "multinomial") : self);
  visit_dtype(FloatingTypes(), weights.dtype(), "multinomial", [&]<class T>() {
    sample_rows(weights.data<T>(), rows, n, num_samples, out.data<std::int64_t>());
  });
  return out;
}

#define THREADWHEEL_OPTIONS \
  "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None"
#define THREADWHEEL_INTEGERS \
  "ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None"

constexpr OpDefinition kOps[] = {
    define_op<manual_seed>("aten::manual_seed(int seed) -> ()"),
    define_op<uniform_into>(
        "aten::uniform_(Tensor(a!) self, float from=0., float to=1., *, Generator? generator=None) -> Tensor(a!)"),
    define_op<normal_into>(
        "aten::normal_(Tensor(a!) self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor(a!)"),
    define_op<exponential_into>(
        "aten::exponential_(Tensor(a!) self, float lambd=1., *, Generator? generator=None) -> Tensor(a!)"),
    define_op<bernoulli_into_tensor>(
        "aten::bernoulli_.Tensor(Tensor(a!) self, Tensor p, *, Generator? generator=None) -> Tensor(a!)"),
    define_op<bernoulli_into>(
        "aten::bernoulli_.float(Tensor(a!) self, float p=0.5, *, Generator? generator=None) -> Tensor(a!)"),
    define_op<random_from_into>(
        "aten::random_.from(Tensor(a!) self, int from, int? to, *, Generator? generator=None) -> Tensor(a!)"),
    define_op<random_to_into>(
        "aten::random_.to(Tensor(a!) self, int to, *, Generator? generator=None) -> Tensor(a!)"),
    define_op<random_into>("aten::random_(Tensor(a!) self, *, Generator? generator=None) -> Tensor(a!)"),
    define_op<rand>("aten::rand(SymInt[] size, *, " THREADWHEEL_OPTIONS ") -> Tensor"),
    define_op<rand_like>(
        "aten::rand_like(Tensor self, *, " THREADWHEEL_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor"),
    define_op<randn>("aten::randn(SymInt[] size, *, " THREADWHEEL_OPTIONS ") -> Tensor"),
    define_op<randn_like>(
        "aten::randn_like(Tensor self, *, " THREADWHEEL_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor"),
    define_op<randint>("aten::randint(SymInt high, SymInt[] size, *, " THREADWHEEL_INTEGERS ") -> Tensor"),
    define_op<randint_from>(
        "aten::randint.low(SymInt low, SymInt high, SymInt[] size, *, " THREADWHEEL_INTEGERS ") -> Tensor"),
    define_op<randint_like>("aten::randint_like(Tensor self, SymInt high, *, " THREADWHEEL_OPTIONS
                            ", MemoryFormat? memory_format=None) -> Tensor"),
    define_op<randint_like_from>("aten::randint_like.low_dtype(Tensor self, SymInt low, SymInt high, *, "
                                 THREADWHEEL_OPTIONS ", MemoryFormat? memory_format=None) -> Tensor"),
    define_op<randperm>("aten::randperm(SymInt n, *, " THREADWHEEL_INTEGERS ") -> Tensor"),
    define_op<bernoulli>("aten::bernoulli(Tensor self, *, Generator? generator=None) -> Tensor"),
    define_op<bernoulli_p>("aten::bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor"),
    define_op<bernoulli_tensor>(
        "aten::bernoulli.Tensor(Tensor self, Tensor p, *, Generator? generator=None) -> Tensor"),
    define_op<normal_of_mean>(
        "aten::normal.Tensor_float(Tensor mean, float std=1., *, Generator? generator=None) -> Tensor"),
    define_op<normal_of_deviation>(
        "aten::normal.float_Tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor"),
    define_op<normal_of_both>(
        "aten::normal.Tensor_Tensor(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor"),
    define_op<normal_of_size>("aten::normal.float_float(float mean, float std, SymInt[] size, *, Generator? "
                              "generator=None, " THREADWHEEL_OPTIONS ") -> Tensor"),
    define_op<multinomial>("aten::multinomial(Tensor self, SymInt num_samples, bool replacement=False, *, Generator? "
                           "generator=None) -> Tensor"),
};

#undef THREADWHEEL_OPTIONS
#undef THREADWHEEL_INTEGERS

}  // namespace

std::span<const OpDefinition> random_ops() { return kOps; }

}  // namespace threadwheel
