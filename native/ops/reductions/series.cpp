// What looks at the elements along a dimension in their order, or at their distribution: running extremes,
// differences, areas, quantiles, covariances.
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/options.h"
#include "ops/shared/shapes.h"
#include "ops/shared/views.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

using TensorPair = std::tuple<Tensor, Tensor>;
using OptionalTensor = std::optional<Tensor>;

// x with dimension `dim` last, contiguous; and a result of its sizes back in its place.
Tensor lines_of(const Tensor& x, std::size_t dim) {
  return views::movedim(x, static_cast<std::int64_t>(dim), -1).contiguous();
}
Tensor put_back(const Tensor& lines, std::size_t dim) {
  return views::movedim(lines, -1, static_cast<std::int64_t>(dim)).contiguous();
}

// Calls body(first element) for each line of `length`, on the pool.
template <class Body>
void for_lines(const Tensor& lines, std::int64_t length, const Body& body) {
  if (lines.numel() == 0) return;
  const std::int64_t grain = std::max<std::int64_t>(1, 16384 / length);
  parallel_for(0, lines.numel() / length, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(i * length);
  });
}

// --- running extremes -------------------------------------------------------------------------------------

// The last of equal elements counts; NaN stays.
template <bool Largest>
TensorPair running_extreme(const Tensor& self, std::int64_t dim) {
  constexpr const char* kName = Largest ? "cummax" : "cummin";
  const std::size_t at = wrap_dim(kName, dim, self.dim());
  if (self.dim() == 0) return {copy_of(self), zeros({}, DType::kInt64)};
  const Tensor wide = is_half(self.dtype()) ? convert(self, DType::kFloat32, kName) : self;
  const Tensor x = lines_of(wide, at), values = Tensor::empty(x.sizes(), x.dtype()),
               places = Tensor::empty(x.sizes(), DType::kInt64);
  const std::int64_t length = self.size(at);
  visit_dtype(RealAndBoolTypes(), x.dtype(), kName, [&]<class T>() {
    for_lines(x, length, [&](std::int64_t first) {
      const T* const in = x.data<const T>() + first;
      T best = in[0];
      std::int64_t place = 0;
      for (std::int64_t i = 0; i < length; ++i) {
        if (in[i] != in[i] || (best == best && (Largest ? in[i] >= best : in[i] <= best))) {
          best = in[i];
          place = i;
        }
        values.data<T>()[first + i] = best;
        places.data<std::int64_t>()[first + i] = place;
      }
    });
  });
  return {convert(put_back(values, at), self.dtype(), kName), put_back(places, at)};
}

Tensor logcumsumexp(const Tensor& self, std::int64_t dim) {
  constexpr const char* kName = "logcumsumexp";
  const std::size_t at = wrap_dim(kName, dim, self.dim());
  if (self.dim() == 0) return copy_of(self);
  const Tensor x = lines_of(self, at), out = Tensor::empty(x.sizes(), x.dtype());
  const std::int64_t length = self.size(at);
  visit_dtype(FloatingTypes(), x.dtype(), kName, [&]<class T>() {
    for_lines(x, length, [&](std::int64_t first) {
      double most = -INFINITY, sum = 0;  // sum exp(x - most)
      for (std::int64_t i = 0; i < length; ++i) {
        const auto value = static_cast<double>(x.data<const T>()[first + i]);
        if (value > most) {
          sum = sum * std::exp(most - value) + 1;
          most = value;
        } else {
          sum += value == most ? 1 : std::exp(value - most);  // infinity less itself is none
        }
        out.data<T>()[first + i] = static_cast<T>(most + std::log(sum));
      }
    });
  });
  return put_back(out, at);
}

// --- differences and areas --------------------------------------------------------------------------------

Tensor diff(const Tensor& self, std::int64_t n, std::int64_t dim, const OptionalTensor& prepend,
            const OptionalTensor& append) {
  const std::size_t at = wrap_dim("diff", dim, self.dim());
  if (self.dim() == 0 || n < 0)
    fail_value("diff: " + describe("self", self) + " and n is " + std::to_string(n) +
               "; expected 1 dimension or more and n of 0 or more");
  std::vector<Tensor> parts;
  if (prepend) parts.push_back(*prepend);
  parts.push_back(self);
  if (append) parts.push_back(*append);
  const auto along = static_cast<std::int64_t>(at);
  Tensor x = parts.size() == 1 ? self : aten("cat", {parts, along});
  if (n == 0) return copy_of(x);
  for (; n > 0; --n) {
    const std::int64_t size = x.size(at);
    if (size == 0) return copy_of(x);
    const Tensor later = narrow_view(x, at, 1, size - 1), earlier = narrow_view(x, at, 0, size - 1);
    x = x.dtype() == DType::kBool ? aten("logical_xor", {later, earlier}) : aten("sub.Tensor", {later, earlier});
  }
  return x;
}

// Twice the mean heights of the trapezes between neighbours.
Tensor neighbour_sums(const Tensor& y, std::size_t at) {
  const std::int64_t count = std::max<std::int64_t>(0, y.size(at) - 1), start = std::min<std::int64_t>(1, y.size(at));
  return aten("add.Tensor", {narrow_view(y, at, start, count), narrow_view(y, at, 0, count)});
}

// The widths between places, shaped to go with y.
Tensor widths_of(const Tensor& y, const Tensor& x, std::size_t at) {
  if (x.dim() == 1 && x.size(0) != y.size(at))
    fail_value("trapezoid: " + describe("x", x) + " and " + describe("y", y) + "; expected as many places as values");
  const std::size_t rank = std::max(x.sizes().size(), y.sizes().size());
  Dims sizes(rank, 1);
  if (x.dim() == 1) sizes[at] = x.size(0);
  else std::ranges::copy(x.sizes(), sizes.end() - static_cast<std::ptrdiff_t>(x.sizes().size()));
  return diff(reshaped(x, sizes), 1, static_cast<std::int64_t>(at), std::nullopt, std::nullopt);
}

std::size_t area_dim(const Tensor& y, std::int64_t dim) {
  if (y.dim() == 0) fail_value("trapezoid: " + describe("y", y) + "; expected 1 dimension or more");
  return wrap_dim("trapezoid", dim, y.dim());
}

Tensor sum_along(const Tensor& x, std::size_t at) {
  return aten("sum.dim_IntList", {x, IntList{static_cast<std::int64_t>(at)}});
}

// Of nothing: zeros of the integrand's dtype.
Tensor no_area(const Tensor& y, std::size_t at) { return convert(sum_along(y, at), y.dtype(), "trapezoid"); }

// All heights but half of the outermost, as torch adds them.
Tensor trapezoid_dx(const Tensor& y, Scalar dx, std::int64_t dim) {
  const std::size_t at = area_dim(y, dim);
  if (y.size(at) == 0) return no_area(y, at);
  const Tensor ends = aten("add.Tensor", {select_view(y, at, 0), select_view(y, at, y.size(at) - 1)});
  const Tensor heights = aten("sub.Tensor", {sum_along(y, at), aten("mul.Scalar", {ends, 0.5})});
  return aten("mul.Scalar", {heights, dx});
}

Tensor trapz_dx(const Tensor& y, double dx, std::int64_t dim) { return trapezoid_dx(y, dx, dim); }

Tensor trapezoid_x(const Tensor& y, const Tensor& x, std::int64_t dim) {
  const std::size_t at = area_dim(y, dim);
  if (y.size(at) == 0) return no_area(y, at);
  const Tensor areas = aten("mul.Tensor", {neighbour_sums(y, at), widths_of(y, x, at)});
  return aten("div.Scalar", {sum_along(areas, at), 2.0});
}

Tensor running_area(const Tensor& areas, std::size_t at) {
  return aten("cumsum", {areas, static_cast<std::int64_t>(at)});
}

Tensor cumulative_trapezoid_dx(const Tensor& y, Scalar dx, std::int64_t dim) {
  const std::size_t at = area_dim(y, dim);
  return running_area(aten("mul.Scalar", {neighbour_sums(y, at), Scalar(dx.to<double>() / 2)}), at);
}

Tensor cumulative_trapezoid_x(const Tensor& y, const Tensor& x, std::int64_t dim) {
  const std::size_t at = area_dim(y, dim);
  const Tensor areas = aten("mul.Tensor", {widths_of(y, x, at), neighbour_sums(y, at)});
  return running_area(aten("div.Scalar", {areas, 2.0}), at);
}

// --- quantiles and modes ------------------------------------------------------------------------------------

enum class Between { kLinear, kLower, kHigher, kMidpoint, kNearest };

Between between_of(const char* op, const std::string& name) {
  static constexpr std::array<const char*, 5> kNames{"linear", "lower", "higher", "midpoint", "nearest"};
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end())
    fail_value(std::string(op) + ": interpolation is '" + name +
               "'; expected 'linear', 'lower', 'higher', 'midpoint' or 'nearest'");
  return static_cast<Between>(found - kNames.begin());
}

// The element at a place between two of a sorted line.
template <class T>
T at_rank(const T* line, T rank, Between between) {
  const T low = between == Between::kNearest ? std::nearbyint(rank) : std::floor(rank), high = std::ceil(rank);
  const T below = line[static_cast<std::int64_t>(low)], above = line[static_cast<std::int64_t>(high)];
  switch (between) {
    case Between::kLower:
    case Between::kNearest: return below;
    case Between::kHigher: return above;
    case Between::kMidpoint: return low == high ? below : below + (above - below) * T(0.5);
    case Between::kLinear: break;
  }
  const T weight = rank - low;  // torch's lerp, which is exact at both ends
  return weight < T(0.5) ? below + weight * (above - below) : above - (above - below) * (T(1) - weight);
}

// sorted: [lines, length] with NaN last, q: [n] -> [n, lines].
template <class T>
void fill_quantiles(const Tensor& sorted, const Tensor& q, const Tensor& out, Between between, bool skip_nan) {
  const std::int64_t length = sorted.size(1), lines = sorted.size(0);
  for (std::int64_t line = 0; line < lines; ++line) {
    const T* const x = sorted.data<const T>() + line * length;
    std::int64_t numbers = length;
    while (numbers > 0 && x[numbers - 1] != x[numbers - 1]) --numbers;
    const bool nan = skip_nan ? numbers == 0 : numbers < length;
    for (std::int64_t k = 0; k < q.numel(); ++k)
      out.data<T>()[k * lines + line] =
          nan ? static_cast<T>(NAN) : at_rank(x, q.data<const T>()[k] * static_cast<T>(numbers - 1), between);
  }
}

void check_quantile(const char* op, const Tensor& self, const Tensor& q) {
  if (self.dtype() != DType::kFloat32 && self.dtype() != DType::kFloat64)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": unsupported dtype " + dtype_name(self.dtype()) +
                                             "; supported are float32, float64");
  if (q.dtype() != self.dtype() || q.dim() > 1 || self.numel() == 0)
    fail_value(std::string(op) + ": " + describe("input", self) + " and " + describe("q", q) +
               "; expected an input with elements, and q of its dtype with at most 1 dimension");
  const Tensor each = convert(q, DType::kFloat64, op).contiguous();
  for (std::int64_t i = 0; i < q.numel(); ++i)
    if (const double value = each.data<const double>()[i]; !(value >= 0 && value <= 1))
      fail_value(std::string(op) + ": q is " + std::to_string(value) + "; expected 0 to 1");
}

template <bool SkipNan>
Tensor quantile(const Tensor& self, const Tensor& q, std::optional<std::int64_t> dim, bool keepdim,
                const std::string& interpolation) {
  constexpr const char* kName = SkipNan ? "nanquantile" : "quantile";
  check_quantile(kName, self, q);
  const Between between = between_of(kName, interpolation);
  const Tensor x = dim ? self : reshaped(self, Dims{self.numel()});
  const std::size_t at = dim ? wrap_dim(kName, *dim, self.dim()) : 0;
  const Tensor wide = x.dim() == 0 ? reshaped(x, Dims{1}) : x;
  const Value sorted = aten_value("sort", {wide, static_cast<std::int64_t>(at)});
  const Tensor lines = lines_of(sorted.to_tuple()[0].to_tensor(), at);
  const std::int64_t length = lines.size(lines.sizes().size() - 1);
  const Tensor flat = reshaped(lines, Dims{lines.numel() / length, length});
  const Tensor out = Tensor::empty(Dims{q.numel(), flat.size(0)}, self.dtype());
  visit_dtype(FloatingTypes(), self.dtype(), kName, [&]<class T>() {
    fill_quantiles<T>(flat, q.contiguous(), out, between, SkipNan);
  });
  IntList sizes;
  if (q.dim() == 1) sizes.push_back(q.numel());
  for (std::size_t i = 0; i < self.sizes().size(); ++i) {
    const bool goes = !dim || i == at;
    if (!goes || keepdim) sizes.push_back(goes ? 1 : self.size(i));
  }
  return reshaped(out, sizes);
}

template <bool SkipNan>
Tensor quantile_number(const Tensor& self, double q, std::optional<std::int64_t> dim, bool keepdim,
                       const std::string& interpolation) {
  return quantile<SkipNan>(self, scalar_tensor(q, self.dtype()), dim, keepdim, interpolation);
}

// The most frequent element, of several the least; where it comes last.
TensorPair mode(const Tensor& self, std::int64_t dim, bool keepdim) {
  const std::size_t at = wrap_dim("mode", dim, self.dim());
  if (self.dim() == 0) return {copy_of(self), zeros({}, DType::kInt64)};
  if (self.size(at) == 0) fail_value("mode: " + describe("self", self) + "; expected elements along the dimension");
  const auto along = static_cast<std::int64_t>(at);
  const std::vector<Value> sorted = aten_value("sort", {self, along}).to_tuple();
  const Tensor values = lines_of(sorted[0].to_tensor(), at), order = lines_of(sorted[1].to_tensor(), at);
  Dims sizes = values.sizes();
  const std::int64_t length = sizes[sizes.size() - 1];
  sizes[sizes.size() - 1] = 1;
  const Tensor places = Tensor::empty(sizes, DType::kInt64);
  const Tensor wide = is_half(self.dtype()) ? convert(values, DType::kFloat32, "mode") : values;
  visit_dtype(RealAndBoolTypes(), wide.dtype(), "mode", [&]<class T>() {
    for_lines(wide, length, [&](std::int64_t first) {
      const T* const x = wide.data<const T>() + first;
      std::int64_t best = 0, most = 0, run = 0;
      for (std::int64_t i = 0; i < length; ++i) {
        ++run;
        if (i + 1 < length && x[i] == x[i + 1]) continue;
        if (run > most) {
          most = run;
          best = i;
        }
        run = 0;
      }
      places.data<std::int64_t>()[first / length] = order.data<const std::int64_t>()[first + best];
    });
  });
  const Tensor where = put_back(places, at), found = aten("gather", {self, along, where});
  if (keepdim) return {found, where};
  return {views::squeeze(found, along), views::squeeze(where, along)};
}

// --- norms and covariances ------------------------------------------------------------------------------------

// Slices along `dim` whose norm is above maxnorm are scaled down to it.
Tensor renorm(const Tensor& self, Scalar p, std::int64_t dim, Scalar maxnorm) {
  const std::size_t at = wrap_dim("renorm", dim, self.dim());
  if (self.dim() < 2) fail_value("renorm: " + describe("self", self) + "; expected 2 dimensions or more");
  IntList others;
  for (std::size_t i = 0; i < self.sizes().size(); ++i)
    if (i != at) others.push_back(static_cast<std::int64_t>(i));
  const Tensor norm = aten("linalg_vector_norm", {self, p, others, true});
  const Tensor scale = aten("mul.Scalar", {aten("reciprocal", {aten("add.Scalar", {norm, 1e-7})}), maxnorm});
  const Tensor factor = aten("where.ScalarOther", {aten("gt.Scalar", {norm, maxnorm}), scale, 1.0});
  return convert(aten("mul.Tensor", {self, factor}), self.dtype(), "renorm").contiguous();
}

Tensor renorm_in_place(const Tensor& self, Scalar p, std::int64_t dim, Scalar maxnorm) {
  copy_into(self, renorm(self, p, dim, maxnorm), "renorm_");
  return self;
}

bool all_true(const Tensor& conditions) { return aten_value("is_nonzero", {aten("all", {conditions})}).to_bool(); }

void check_weights(const char* name, const OptionalTensor& weights, bool integral, std::int64_t observations) {
  if (!weights) return;
  const bool fits = integral ? dtype_info(weights->dtype()).category == DTypeCategory::kInteger
                             : is_floating(weights->dtype());
  if (!fits || weights->dim() > 1 || weights->numel() != observations ||
      !all_true(aten("ge.Scalar", {*weights, std::int64_t{0}})))
    fail_value(std::string("cov: ") + describe(name, *weights) + ", " + dtype_name(weights->dtype()) + "; expected " +
               std::to_string(observations) + (integral ? " integers" : " floats") + " of 0 or more");
}

// How much each observation counts: how often it occurs times how much it weighs. None: each once.
OptionalTensor joint_weights(const OptionalTensor& fweights, const OptionalTensor& aweights) {
  if (fweights && aweights) return aten("mul.Tensor", {*fweights, *aweights});
  return fweights ? fweights : aweights;
}

Tensor product_of_deviations(const Tensor& weighted, const Tensor& centered) {
  return aten("mm", {weighted, aten("conj", {transpose_view(centered, 0, 1)})});
}

// x: [variables, observations].
Tensor plain_cov(const Tensor& x, std::int64_t correction) {
  const Tensor centered = aten("sub.Tensor", {x, aten("mean.dim", {x, IntList{1}, true})});
  const auto divisor = static_cast<double>(std::max<std::int64_t>(0, x.size(1) - correction));
  return aten("squeeze", {aten("div.Scalar", {product_of_deviations(centered, centered), divisor})});
}

// With aweights the correction is for as many observations as they are worth.
Tensor weighted_cov(const Tensor& x, const Tensor& weights, const OptionalTensor& aweights, std::int64_t correction) {
  const Tensor total = aten("sum", {weights});
  const Tensor sum = aten("sum.dim_IntList", {aten("mul.Tensor", {x, weights}), IntList{1}, true});
  const Tensor centered = aten("sub.Tensor", {x, aten("div.Tensor", {sum, total})});
  Tensor excess = scalar_tensor(correction, DType::kInt64);
  if (aweights && correction != 0) {
    const Tensor squares = aten("sum", {aten("mul.Tensor", {weights, *aweights})});
    excess = aten("div.Tensor", {aten("mul.Scalar", {squares, correction}), total});
  }
  const Tensor divisor = aten("clamp_min", {aten("sub.Tensor", {total, excess}), std::int64_t{0}});
  const Tensor product = product_of_deviations(aten("mul.Tensor", {centered, weights}), centered);
  return aten("squeeze", {aten("div.Tensor", {product, divisor})});
}

// self: [variables, observations] or [observations]; fweights: how often each occurs; aweights: how much it counts.
Tensor cov(const Tensor& self, std::int64_t correction, const OptionalTensor& fweights,
           const OptionalTensor& aweights) {
  if (self.dim() > 2 || self.dtype() == DType::kBool)
    fail_value("cov: " + describe("input", self) + ", " + dtype_name(self.dtype()) +
               "; expected numbers in at most 2 dimensions");
  const DType dtype = is_integral(self.dtype()) ? DType::kFloat32 : self.dtype();
  const Tensor x = convert(self.dim() < 2 ? reshaped(self, Dims{1, self.numel()}) : self, dtype, "cov");
  check_weights("fweights", fweights, true, x.size(1));
  check_weights("aweights", aweights, false, x.size(1));
  const OptionalTensor weights = joint_weights(fweights, aweights);
  return weights ? weighted_cov(x, *weights, aweights, correction) : plain_cov(x, correction);
}

Tensor corrcoef(const Tensor& self) {
  const Tensor c = cov(self, 1, std::nullopt, std::nullopt);
  if (c.dim() == 0) return aten("div.Tensor", {c, c});
  const Tensor deviation = aten("sqrt", {aten("diagonal", {c})});
  const Tensor rows = aten("div.Tensor", {c, unsqueeze_view(deviation, 1)});
  const Tensor r = aten("div.Tensor", {rows, unsqueeze_view(deviation, 0)});
  return is_complex(r.dtype()) ? r : aten("clamp", {r, -1.0, 1.0});
}

// The gradient's way back through broadcasting.
Tensor sum_to_size(const Tensor& self, std::span<const std::int64_t> size) {
  const std::size_t lead = self.sizes().size() - std::min(self.sizes().size(), size.size());
  bool fits = size.size() <= self.sizes().size();
  IntList ones;
  for (std::size_t i = 0; fits && i < self.sizes().size(); ++i) {
    const std::int64_t wanted = i < lead ? 1 : size[i - lead];
    fits = wanted == self.size(i) || wanted == 1;
    if (i < lead || (wanted == 1 && self.size(i) != 1)) ones.push_back(static_cast<std::int64_t>(i));
  }
  if (!fits)
    fail_value("sum_to_size: " + describe("self", self) + "; it does not broadcast from " + to_string(size));
  if (size.empty()) return aten("sum", {self});
  if (ones.empty()) return self;
  return reshaped(aten("sum.dim_IntList", {self, ones, true}), size);
}

constexpr OpDefinition kOps[] = {
    define_op<running_extreme<true>>("aten::cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)"),
    define_op<running_extreme<false>>("aten::cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)"),
    define_op<in_float<logcumsumexp>>("aten::logcumsumexp(Tensor self, int dim) -> Tensor"),
    define_op<diff>(
        "aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor"),
    define_op<trapezoid_x>("aten::trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor"),
    define_op<trapezoid_dx>("aten::trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor"),
    define_op<trapezoid_x>("aten::trapz.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor"),
    define_op<trapz_dx>("aten::trapz.dx(Tensor y, *, float dx=1, int dim=-1) -> Tensor"),
    define_op<cumulative_trapezoid_x>("aten::cumulative_trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor"),
    define_op<cumulative_trapezoid_dx>("aten::cumulative_trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor"),
    define_op<quantile<false>>(
        "aten::quantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\") -> "
        "Tensor"),
    define_op<quantile_number<false>>(
        "aten::quantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str "
        "interpolation=\"linear\") -> Tensor"),
    define_op<quantile<true>>(
        "aten::nanquantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\") "
        "-> Tensor"),
    define_op<quantile_number<true>>(
        "aten::nanquantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str "
        "interpolation=\"linear\") -> Tensor"),
    define_op<mode>("aten::mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)"),
    define_op<renorm>("aten::renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor"),
    define_op<renorm_in_place>(
        "aten::renorm_(Tensor(a!) self, Scalar p, int dim, Scalar maxnorm) -> Tensor(a!)"),
    define_op<cov>(
        "aten::cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor"),
    define_op<corrcoef>("aten::corrcoef(Tensor self) -> Tensor"),
    define_op<sum_to_size>("aten::sum_to_size(Tensor(a) self, SymInt[] size) -> Tensor(a)"),
};

}  // namespace

std::span<const OpDefinition> series_ops() { return kOps; }

}  // namespace threadwheel
