// Fourier transforms. Every op is a chain of transforms along one dimension each; lines run on the pool.
#include <algorithm>
#include <cmath>
#include <complex>
#include <string>

#include "ops/families.h"
#include "ops/shared/shapes.h"
#include "tensor/fourier.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

using Ints = std::span<const std::int64_t>;
using OptionalInts = std::optional<Ints>;
using OptionalInt = std::optional<std::int64_t>;
using OptionalTensor = std::optional<Tensor>;

using OptionalString = const Value&;  // str?

// The real floating dtype that transforms of `dtype` are computed in.
DType transform_dtype(DType dtype) {
  return dtype == DType::kFloat64 || dtype == DType::kComplex128 ? DType::kFloat64 : DType::kFloat32;
}

// Which dtypes fft takes: half floats have no transform on CPUs.
void check_dtype(const char* op, const Tensor& x) {
  if (is_half(x.dtype()) || dtype_info(x.dtype()).category == DTypeCategory::kQuantized)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": unsupported dtype " + dtype_name(x.dtype()) +
                                             "; convert it to float32 or float64");
}

// Elements of `x`, real or complex, as complex numbers.
template <class T>
Tensor as_complex(const Tensor& x, const char* op) {
  if (x.dtype() == DTypeOf<std::complex<T>>::value) return x.contiguous();
  const Tensor real = convert(x, DTypeOf<T>::value, op).contiguous();
  Tensor out = Tensor::empty(x.sizes(), DTypeOf<std::complex<T>>::value);
  for (std::int64_t i = 0; i < x.numel(); ++i) out.data<std::complex<T>>()[i] = real.data<const T>()[i];
  return out;
}

enum class Kind {
  kComplex,      // n -> n
  kRealToHalf,   // n real -> n / 2 + 1
  kHalfToReal,   // n / 2 + 1 -> n real
};

struct Transform {
  Kind kind;
  std::int64_t length;
  bool forward;
  double scale;
};

// As many lines as a plan transforms at once. An inverse transform has real and imaginary parts exchanged.
template <class T>
class Lines {
 public:
  explicit Lines(const Transform& transform)
      : transform_(transform), plan_(FourierPlan<T>::get(transform.length)),
        in_(static_cast<std::size_t>(transform.length), Number{}), out_(in_.size()) {}

  // `in` has `given` elements, `step` apart; cut or filled with zeros to what the transform takes.
  void load(std::size_t lane, const std::complex<T>* in, std::int64_t given, std::int64_t step) {
    const std::int64_t length = transform_.length;
    const bool mirror = transform_.kind == Kind::kHalfToReal;
    const std::int64_t wanted = mirror ? length / 2 + 1 : length;
    for (std::int64_t i = 0; i < wanted; ++i) set(lane, i, i < given ? in[i * step] : std::complex<T>(0));
    if (!mirror) return;
    // The other half is the mirror image; what has no mirror is real.
    for (std::int64_t i = 1; i < (length + 1) / 2; ++i)
      set(lane, length - i, i < given ? std::conj(in[i * step]) : std::complex<T>(0));
    if (given > 0) set(lane, 0, in[0].real());
    if (length % 2 == 0 && length / 2 < given) set(lane, length / 2, in[length / 2 * step].real());
  }

  void load(std::size_t lane, const T* in, std::int64_t given, std::int64_t step) {
    for (std::int64_t i = 0; i < transform_.length; ++i) set(lane, i, i < given ? in[i * step] : T(0));
  }

  void run() { plan_->run(in_.data(), out_.data()); }

  std::complex<T> get(std::size_t lane, std::int64_t i) const {
    const Number& x = out_[static_cast<std::size_t>(i)];
    const auto scale = static_cast<T>(transform_.scale);
    return transform_.forward ? std::complex<T>(x.re[lane] * scale, x.im[lane] * scale)
                              : std::complex<T>(x.im[lane] * scale, x.re[lane] * scale);
  }

 private:
  using Number = typename FourierPlan<T>::Number;

  void set(std::size_t lane, std::int64_t i, std::complex<T> value) {
    Number& x = in_[static_cast<std::size_t>(i)];
    x.re[lane] = transform_.forward ? value.real() : value.imag();
    x.im[lane] = transform_.forward ? value.imag() : value.real();
  }

  Transform transform_;
  std::shared_ptr<const FourierPlan<T>> plan_;
  std::vector<Number> in_, out_;
};

// The transform of every line along `dim`.
template <class T>
Tensor transform_lines(const Tensor& input, std::size_t dim, const Transform& transform, const char* op) {
  const bool from_real = transform.kind == Kind::kRealToHalf, real = transform.kind == Kind::kHalfToReal;
  const Tensor x = from_real ? convert(input, DTypeOf<T>::value, op).contiguous() : as_complex<T>(input, op);
  Dims sizes = x.sizes();
  sizes[dim] = from_real ? transform.length / 2 + 1 : transform.length;
  const Tensor out = Tensor::empty(sizes, real ? DTypeOf<T>::value : DTypeOf<std::complex<T>>::value);
  const std::int64_t inner = count_elements(std::span(sizes).subspan(dim + 1)), given = x.size(dim), made = sizes[dim];
  const std::int64_t lines = made == 0 ? 0 : out.numel() / made;
  constexpr auto kLanes = static_cast<std::int64_t>(FourierPlan<T>::kLanes);
  const auto store = [&](std::int64_t line, std::size_t lane, const Lines<T>& group) {
    const std::int64_t first = line / inner * made * inner + line % inner;
    for (std::int64_t k = 0; k < made; ++k) {
      if (real) {
        out.data<T>()[first + k * inner] = group.get(lane, k).real();
      } else {
        out.data<std::complex<T>>()[first + k * inner] = group.get(lane, k);
      }
    }
  };
  parallel_for(0, (lines + kLanes - 1) / kLanes, std::max<std::int64_t>(1, 1024 / transform.length),
               [&](std::int64_t begin, std::int64_t end) {
                 Lines<T> group(transform);
                 for (std::int64_t first = begin * kLanes; first < std::min(lines, end * kLanes); first += kLanes) {
                   const auto count = static_cast<std::size_t>(std::min(kLanes, lines - first));
                   for (std::size_t lane = 0; lane < count; ++lane) {
                     const std::int64_t line = first + static_cast<std::int64_t>(lane);
                     const std::int64_t at = line / inner * given * inner + line % inner;
                     if (from_real) {
                       group.load(lane, x.data<const T>() + at, given, inner);
                     } else {
                       group.load(lane, x.data<const std::complex<T>>() + at, given, inner);
                     }
                   }
                   group.run();
                   for (std::size_t lane = 0; lane < count; ++lane)
                     store(first + static_cast<std::int64_t>(lane), lane, group);
                 }
               });
  return out;
}

// norm: None or "backward" scales the inverse by 1 / n, "forward" the other direction, "ortho" both by 1 / sqrt(n).
double norm_scale(const char* op, OptionalString norm, std::int64_t length, bool forward) {
  const std::string name = norm.is_none() ? "backward" : norm.to_string();
  if (name != "backward" && name != "forward" && name != "ortho")
    fail_value(std::string(op) + ": norm is '" + name + "'; expected 'backward', 'forward' or 'ortho'");
  const auto n = static_cast<double>(length);
  if (name == "ortho") return 1 / std::sqrt(n);
  return (name == "forward") == forward ? 1 / n : 1;
}

Tensor transform_dim(const char* op, const Tensor& x, std::size_t dim, Kind kind, std::int64_t length, bool forward,
                     OptionalString norm) {
  if (length < 1)
    fail_value(std::string(op) + ": the transform would have length " + std::to_string(length) +
               "; expected 1 or more");
  const Transform transform{kind, length, forward, norm_scale(op, norm, length, forward)};
  return transform_dtype(x.dtype()) == DType::kFloat64 ? transform_lines<double>(x, dim, transform, op)
                                                  : transform_lines<float>(x, dim, transform, op);
}

// How an op differs from the plain transform, in the naming of numpy.
struct Spec {
  const char* op;
  Kind kind;
  bool forward;
};

constexpr Spec kFft{"fft_fft", Kind::kComplex, true}, kIfft{"fft_ifft", Kind::kComplex, false};
constexpr Spec kRfft{"fft_rfft", Kind::kRealToHalf, true}, kIrfft{"fft_irfft", Kind::kHalfToReal, false};
constexpr Spec kHfft{"fft_hfft", Kind::kHalfToReal, true}, kIhfft{"fft_ihfft", Kind::kRealToHalf, false};

void check_input(const Spec& spec, const Tensor& x) {
  check_dtype(spec.op, x);
  if (x.dim() == 0) fail_value(std::string(spec.op) + ": the input has no dimensions; expected 1 or more");
  if (spec.kind == Kind::kRealToHalf && is_complex(x.dtype()))
    fail_value(std::string(spec.op) + ": the input is " + dtype_name(x.dtype()) + "; expected a real dtype");
}

// Dimensions of an n-dimensional transform, and their lengths: of the input's, or of the real side.
struct Plan {
  std::vector<std::size_t> dims;
  std::vector<std::int64_t> lengths;
};

Plan read_plan(const Spec& spec, const Tensor& x, const OptionalInts& s, const OptionalInts& dim) {
  Plan plan;
  if (dim) {
    plan.dims = wrap_dims(spec.op, *dim, x.dim());
  } else {
    const std::size_t count = s ? s->size() : x.sizes().size();
    if (count > x.sizes().size())
      fail_value(std::string(spec.op) + ": s is " + to_string(*s) + " and " + describe("input", x) +
                 "; expected no more numbers than dimensions");
    for (std::size_t i = x.sizes().size() - count; i < x.sizes().size(); ++i) plan.dims.push_back(i);
  }
  if (plan.dims.empty() || (s && s->size() != plan.dims.size()))
    fail_value(std::string(spec.op) + ": there are " + std::to_string(plan.dims.size()) +
               " dimensions to transform; expected 1 or more, and as many numbers in s");
  for (std::size_t i = 0; i < plan.dims.size(); ++i) {
    const bool last = i + 1 == plan.dims.size();
    const std::int64_t own = x.size(plan.dims[i]);
    const std::int64_t natural = last && spec.kind == Kind::kHalfToReal ? 2 * (own - 1) : own;
    plan.lengths.push_back(s && (*s)[i] != -1 ? (*s)[i] : natural);
  }
  return plan;
}

Tensor run(const Spec& spec, const Tensor& self, const Plan& plan, OptionalString norm) {
  const std::size_t last = plan.dims.size() - 1;
  Tensor x = self;
  const auto others = [&] {
    for (std::size_t i = 0; i < last; ++i)
      x = transform_dim(spec.op, x, plan.dims[i], Kind::kComplex, plan.lengths[i], spec.forward, norm);
  };
  if (spec.kind == Kind::kHalfToReal) {
    others();
    return transform_dim(spec.op, x, plan.dims[last], spec.kind, plan.lengths[last], spec.forward, norm);
  }
  x = transform_dim(spec.op, x, plan.dims[last], spec.kind, plan.lengths[last], spec.forward, norm);
  others();
  return x;
}

template <const Spec& S>
Tensor fft_one(const Tensor& self, OptionalInt n, std::int64_t dim, OptionalString norm) {
  check_input(S, self);
  const std::int64_t dims[] = {dim}, sizes[] = {n.value_or(-1)};
  return run(S, self, read_plan(S, self, OptionalInts(sizes), OptionalInts(dims)), norm);
}

template <const Spec& S>
Tensor fft_many(const Tensor& self, OptionalInts s, OptionalInts dim, OptionalString norm) {
  check_input(S, self);
  return run(S, self, read_plan(S, self, s, dim), norm);
}

template <const Spec& S>
Tensor fft_two(const Tensor& self, OptionalInts s, Ints dim, OptionalString norm) {
  return fft_many<S>(self, s, dim, norm);
}

// Rolls each dimension by the shift that `amount` gives for its size.
template <class Amount>
Tensor roll_dims(const char* op, const Tensor& self, const OptionalInts& dim, const Amount& amount) {
  std::vector<std::size_t> dims;
  if (dim) {
    dims = wrap_dims(op, *dim, self.dim());
  } else {
    for (std::size_t i = 0; i < self.sizes().size(); ++i) dims.push_back(i);
  }
  Tensor x = self;
  for (const std::size_t d : dims) {
    if (self.dim() == 0 || self.size(d) < 2) continue;
    const std::int64_t size = self.size(d), shift = amount(size);
    const Tensor out = Tensor::empty(self.sizes(), self.dtype());
    copy_into(narrow_view(out, d, shift, size - shift), narrow_view(x, d, 0, size - shift), op);
    copy_into(narrow_view(out, d, 0, shift), narrow_view(x, d, size - shift, shift), op);
    x = out;
  }
  return x.is(self) ? copy_of(self) : x;
}

Tensor fftshift(const Tensor& self, OptionalInts dim) {
  return roll_dims("fft_fftshift", self, dim, [](std::int64_t size) { return size / 2; });
}
Tensor ifftshift(const Tensor& self, OptionalInts dim) {
  return roll_dims("fft_ifftshift", self, dim, [](std::int64_t size) { return (size + 1) / 2; });
}

// Complex numbers as pairs of real ones in a last dimension.
Tensor view_as_real(const Tensor& x) {
  const Tensor dense = x.contiguous();
  Dims sizes(x.sizes().size() + 1, 2);
  std::copy(x.sizes().begin(), x.sizes().end(), sizes.begin());
  return Tensor(dense.storage(), transform_dtype(x.dtype()), dense.offset() * 2, sizes, contiguous_strides(sizes));
}

// The window of n_fft numbers; of fewer, in the middle; none: ones.
template <class T>
std::vector<T> read_window(const char* op, const OptionalTensor& window, std::int64_t win_length, std::int64_t n_fft) {
  std::vector<T> values(static_cast<std::size_t>(n_fft), T(0));
  if (window && (window->dim() != 1 || window->size(0) != win_length || is_complex(window->dtype())))
    fail_value(std::string(op) + ": " + describe("window", *window) + ", " + dtype_name(window->dtype()) +
               "; expected [" + std::to_string(win_length) + "] of a real dtype");
  const Tensor given = window ? convert(*window, DTypeOf<T>::value, op).contiguous() : Tensor();
  const std::int64_t left = (n_fft - win_length) / 2;
  for (std::int64_t i = 0; i < win_length; ++i)
    values[static_cast<std::size_t>(left + i)] = window ? given.data<const T>()[i] : T(1);
  return values;
}

// Where sample i of a signal that is extended on both sides comes from; -1: it is zero.
std::int64_t padded_index(const std::string& mode, std::int64_t i, std::int64_t n) {
  if (i >= 0 && i < n) return i;
  if (mode == "constant") return -1;
  if (mode == "replicate") return i < 0 ? 0 : n - 1;
  if (mode == "circular") return i < 0 ? i + n : i - n;
  return i < 0 ? -i : 2 * (n - 1) - i;  // reflect
}

struct Frames {
  std::int64_t n_fft, hop, win;
};

Frames read_frames(const char* op, std::int64_t n_fft, OptionalInt hop, OptionalInt win) {
  const Frames frames{n_fft, hop.value_or(n_fft / 4), win.value_or(n_fft)};
  if (n_fft < 1 || frames.hop < 1 || frames.win < 1 || frames.win > n_fft)
    fail_value(std::string(op) + ": n_fft is " + std::to_string(n_fft) + ", hop_length " + std::to_string(frames.hop) +
               " and win_length " + std::to_string(frames.win) +
               "; expected 1 or more, and a window of at most n_fft");
  return frames;
}

// Frames of one signal under the window: [frames, n_fft].
template <class T>
Tensor cut_frames(const Tensor& signals, const Frames& f, std::int64_t count, std::int64_t pad, const std::string& mode,
                  const std::vector<T>& window) {
  const std::int64_t batch = signals.size(0), length = signals.size(1);
  const Tensor out = Tensor::empty(Dims{batch, count, f.n_fft}, DTypeOf<T>::value);
  parallel_for(0, batch * count, std::max<std::int64_t>(1, 16384 / f.n_fft), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* const signal = signals.data<const T>() + row / count * length;
      const std::int64_t first = row % count * f.hop - pad;
      T* const to = out.data<T>() + row * f.n_fft;
      for (std::int64_t i = 0; i < f.n_fft; ++i) {
        const std::int64_t at = padded_index(mode, first + i, length);
        to[i] = at < 0 ? T(0) : signal[at] * window[static_cast<std::size_t>(i)];
      }
    }
  });
  return out;
}

void check_padding(const std::string& mode, std::int64_t pad, std::int64_t length) {
  if (mode != "reflect" && mode != "constant" && mode != "replicate" && mode != "circular")
    fail_value("stft: pad_mode is '" + mode + "'; expected 'constant', 'reflect', 'replicate' or 'circular'");
  if ((mode == "reflect" && pad >= length) || (mode == "circular" && pad > length) || length < 1)
    fail_value("stft: the signal has " + std::to_string(length) + " samples and the padding is " + std::to_string(pad) +
               "; the padding must be smaller");
}

Tensor stft_center(const Tensor& self, std::int64_t n_fft, OptionalInt hop, OptionalInt win,
                   const OptionalTensor& window, bool center, const std::string& pad_mode, bool normalized,
                   std::optional<bool> onesided, std::optional<bool> return_complex,
                   std::optional<bool> align_to_window) {
  check_dtype("stft", self);
  if (is_complex(self.dtype()) || align_to_window.value_or(false))
    throw Error(ErrorCode::kUnsupported,
                "stft: the input is complex or align_to_window is given; neither is supported");
  if (dtype_info(self.dtype()).category != DTypeCategory::kFloating || (self.dim() != 1 && self.dim() != 2))
    fail_value("stft: " + describe("input", self) + ", " + dtype_name(self.dtype()) +
               "; expected 1 or 2 dimensions of a floating dtype");
  const Frames f = read_frames("stft", n_fft, hop, win);
  const Tensor signals = (self.dim() == 1 ? unsqueeze_view(self, 0) : self).contiguous();
  const std::int64_t pad = center ? n_fft / 2 : 0, length = signals.size(1) + 2 * pad;
  if (center) check_padding(pad_mode, pad, signals.size(1));
  if (length < n_fft)
    fail_value("stft: the signal has " + std::to_string(length) + " samples with its padding and n_fft is " +
               std::to_string(n_fft) + "; expected as many or more");
  const std::int64_t count = 1 + (length - n_fft) / f.hop;
  const bool half = onesided.value_or(true);
  const Transform transform{half ? Kind::kRealToHalf : Kind::kComplex, n_fft, true,
                            normalized ? 1 / std::sqrt(static_cast<double>(n_fft)) : 1.0};
  const Tensor spectrum = visit_dtype(FloatingTypes(), self.dtype(), "stft", [&]<class T>() {
    const auto values = read_window<T>("stft", window, f.win, n_fft);
    return transform_lines<T>(cut_frames<T>(signals, f, count, pad, pad_mode, values), 2, transform, "stft");
  });
  Tensor out = transpose_view(spectrum, 1, 2);
  if (self.dim() == 1) out = select_view(out, 0, 0);
  return return_complex.value_or(false) ? out : view_as_real(out);
}

Tensor stft(const Tensor& self, std::int64_t n_fft, OptionalInt hop, OptionalInt win, const OptionalTensor& window,
            bool normalized, std::optional<bool> onesided, std::optional<bool> return_complex,
            std::optional<bool> align_to_window) {
  return stft_center(self, n_fft, hop, win, window, false, "constant", normalized, onesided, return_complex,
                     align_to_window);
}

// frames: [batch, count, n_fft] -> the sums of frames under the window over the sums of its squares.
template <class T>
Tensor overlap_add(const Tensor& frames, const Frames& f, const std::vector<T>& window, std::int64_t start,
                   std::int64_t end) {
  const std::int64_t batch = frames.size(0), count = frames.size(1), total = (count - 1) * f.hop + f.n_fft;
  std::vector<T> weight(static_cast<std::size_t>(total), T(0)), sum(weight.size());
  for (std::int64_t frame = 0; frame < count; ++frame)
    for (std::int64_t i = 0; i < f.n_fft; ++i) {
      const T w = window[static_cast<std::size_t>(i)];
      weight[static_cast<std::size_t>(frame * f.hop + i)] += w * w;
    }
  for (std::int64_t i = start; i < std::min(end, total); ++i)
    if (!(std::abs(weight[static_cast<std::size_t>(i)]) > T(1e-11)))
      fail_value("istft: the windows do not overlap at sample " + std::to_string(i) + "; use a smaller hop_length");
  const Tensor out = zeros(Dims{batch, end - start}, DTypeOf<T>::value);
  for (std::int64_t b = 0; b < batch; ++b) {
    std::fill(sum.begin(), sum.end(), T(0));
    for (std::int64_t frame = 0; frame < count; ++frame) {
      const T* const from = frames.data<const T>() + (b * count + frame) * f.n_fft;
      for (std::int64_t i = 0; i < f.n_fft; ++i)
        sum[static_cast<std::size_t>(frame * f.hop + i)] += from[i] * window[static_cast<std::size_t>(i)];
    }
    for (std::int64_t i = start; i < std::min(end, total); ++i)
      out.data<T>()[b * (end - start) + i - start] =
          sum[static_cast<std::size_t>(i)] / weight[static_cast<std::size_t>(i)];
  }
  return out;
}

Tensor istft(const Tensor& self, std::int64_t n_fft, OptionalInt hop, OptionalInt win, const OptionalTensor& window,
             bool center, bool normalized, std::optional<bool> onesided, OptionalInt length, bool return_complex) {
  if (!is_complex(self.dtype()) || (self.dim() != 2 && self.dim() != 3))
    fail_value("istft: " + describe("input", self) + ", " + dtype_name(self.dtype()) +
               "; expected 2 or 3 dimensions of a complex dtype");
  const bool batched = self.dim() == 3;
  const Tensor spectrum = transpose_view(batched ? self : unsqueeze_view(self, 0), 1, 2);
  const bool half = onesided.value_or(spectrum.size(2) != n_fft);
  if (return_complex)
    throw Error(ErrorCode::kUnsupported, "istft: return_complex is true; only false is supported");
  const Frames f = read_frames("istft", n_fft, hop, win);
  if (spectrum.size(2) != (half ? n_fft / 2 + 1 : n_fft) || spectrum.size(1) < 1 || f.hop > f.win)
    fail_value("istft: " + describe("input", self) + " and n_fft is " + std::to_string(n_fft) + "; expected " +
               std::to_string(half ? n_fft / 2 + 1 : n_fft) +
               " frequencies, a frame or more, and a hop of at most the window");
  const std::int64_t total = (spectrum.size(1) - 1) * f.hop + n_fft, start = center ? n_fft / 2 : 0;
  const std::int64_t end = length ? start + *length : center ? total - n_fft / 2 : total;
  if (end < start) fail_value("istft: the length is " + std::to_string(end - start) + "; expected 0 or more");
  const double scale = normalized ? 1 / std::sqrt(static_cast<double>(n_fft)) : 1 / static_cast<double>(n_fft);
  const Transform transform{Kind::kHalfToReal, n_fft, false, scale};
  const Tensor halves = half ? spectrum : narrow_view(spectrum, 2, 0, n_fft / 2 + 1);
  const Tensor out = visit_dtype(FloatingTypes(), transform_dtype(self.dtype()), "istft", [&]<class T>() {
    const auto values = read_window<T>("istft", window, f.win, n_fft);
    return overlap_add<T>(transform_lines<T>(halves, 2, transform, "istft"), f, values, start, end);
  });
  return batched ? out : select_view(out, 0, 0);
}

constexpr OpDefinition kOps[] = {
    define_op<fft_one<kFft>>("aten::fft_fft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor"),
    define_op<fft_one<kIfft>>("aten::fft_ifft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor"),
    define_op<fft_one<kRfft>>("aten::fft_rfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor"),
    define_op<fft_one<kIrfft>>("aten::fft_irfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor"),
    define_op<fft_one<kHfft>>("aten::fft_hfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor"),
    define_op<fft_one<kIhfft>>("aten::fft_ihfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor"),
    define_op<fft_two<kFft>>(
        "aten::fft_fft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor"),
    define_op<fft_two<kIfft>>(
        "aten::fft_ifft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor"),
    define_op<fft_two<kRfft>>(
        "aten::fft_rfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor"),
    define_op<fft_two<kIrfft>>(
        "aten::fft_irfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor"),
    define_op<fft_two<kHfft>>(
        "aten::fft_hfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor"),
    define_op<fft_two<kIhfft>>(
        "aten::fft_ihfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor"),
    define_op<fft_many<kFft>>(
        "aten::fft_fftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor"),
    define_op<fft_many<kIfft>>(
        "aten::fft_ifftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor"),
    define_op<fft_many<kRfft>>(
        "aten::fft_rfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor"),
    define_op<fft_many<kIrfft>>(
        "aten::fft_irfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor"),
    define_op<fft_many<kHfft>>(
        "aten::fft_hfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor"),
    define_op<fft_many<kIhfft>>(
        "aten::fft_ihfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor"),
    define_op<fftshift>("aten::fft_fftshift(Tensor self, int[1]? dim=None) -> Tensor"),
    define_op<ifftshift>("aten::fft_ifftshift(Tensor self, int[1]? dim=None) -> Tensor"),
    define_op<stft>(
        "aten::stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool "
        "normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor"),
    define_op<stft_center>(
        "aten::stft.center(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, "
        "bool center=True, str pad_mode=\"reflect\", bool normalized=False, bool? onesided=None, bool? "
        "return_complex=None, bool? align_to_window=None) -> Tensor"),
    define_op<istft>(
        "aten::istft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool "
        "center=True, bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False) -> "
        "Tensor"),
};

}  // namespace

std::span<const OpDefinition> fft_ops() { return kOps; }

}  // namespace threadwheel
