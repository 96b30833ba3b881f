// The ops of torchvision's own library that detection models end with: boxes that overlap better ones are dropped, and
// regions of feature maps are cut out. Definitions: https://docs.pytorch.org/vision/stable/ops.html.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

void check_floating(const char* op, const char* name, const Tensor& x, DType dtype) {
  if ((dtype != DType::kFloat32 && dtype != DType::kFloat64) || x.dtype() != dtype)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": " + name + " has dtype " + dtype_name(x.dtype()) +
                                             "; supported are float32, float64, the same for all");
}

template <class T>
struct Box {
  T left, top, right, bottom;

  T area() const { return (right - left) * (bottom - top); }
  // The area that both cover, as a part of what they cover together.
  T overlap(const Box& other) const {
    const T width = std::min(right, other.right) - std::max(left, other.left);
    const T height = std::min(bottom, other.bottom) - std::max(top, other.top);
    const T both = std::max(T(0), width) * std::max(T(0), height);
    return both / (area() + other.area() - both);
  }
};

// Boxes in `order`, each unless it overlaps one that was taken before.
template <class T>
std::vector<std::int64_t> take_boxes(const Box<T>* boxes, std::span<const std::int64_t> order, double threshold) {
  std::vector<std::int64_t> taken;
  for (const std::int64_t i : order)
    if (std::ranges::none_of(taken, [&](std::int64_t k) { return boxes[k].overlap(boxes[i]) > threshold; }))
      taken.push_back(i);
  return taken;
}

// dets: [n, 4], left, top, right, bottom; scores: [n] -> the indices of the boxes that stay, best first.
Tensor nms(const Tensor& dets, const Tensor& scores, double iou_threshold) {
  check_floating("nms", "dets", dets, dets.dtype());
  check_floating("nms", "scores", scores, dets.dtype());
  if (dets.dim() != 2 || dets.size(1) != 4 || scores.dim() != 1 || scores.size(0) != dets.size(0))
    fail_value("nms: " + describe("dets", dets) + " and " + describe("scores", scores) + "; expected [n, 4] and [n]");
  const Value sorted = aten_value("sort.stable", {scores, true, std::int64_t{0}, true});
  const Tensor order = sorted.to_tuple()[1].to_tensor().contiguous(), boxes = dets.contiguous();
  std::vector<std::int64_t> taken;
  visit_dtype(FloatingTypes(), dets.dtype(), "nms", [&]<class T>() {
    static_assert(sizeof(Box<T>) == 4 * sizeof(T));
    const std::span places(order.data<const std::int64_t>(), static_cast<std::size_t>(order.numel()));
    taken = take_boxes(reinterpret_cast<const Box<T>*>(boxes.data<const T>()), places, iou_threshold);
  });
  const Tensor result = Tensor::empty(Dims{static_cast<std::int64_t>(taken.size())}, DType::kInt64);
  std::ranges::copy(taken, result.data<std::int64_t>());
  return result;
}

// A map of height times width numbers between its points; 0 more than a step outside.
template <class T>
T interpolate(const T* map, std::int64_t height, std::int64_t width, T y, T x) {
  if (!(y >= -1 && y <= static_cast<T>(height) && x >= -1 && x <= static_cast<T>(width))) return 0;
  struct Place {
    std::int64_t low, high;
    T part;
  };
  const auto place = [](T at, std::int64_t size) {
    const T inside = std::clamp(at, T(0), static_cast<T>(size - 1));
    const auto low = static_cast<std::int64_t>(inside);
    return Place{low, std::min(low + 1, size - 1), inside - static_cast<T>(low)};
  };
  const Place row = place(y, height), column = place(x, width);
  const T *const above = map + row.low * width, *const below = map + row.high * width;
  const auto between = [&](const T* line) {
    return (1 - column.part) * line[column.low] + column.part * line[column.high];
  };
  return (1 - row.part) * between(above) + row.part * between(below);
}

struct Pooling {
  double scale;
  std::int64_t height, width, samples;
  bool aligned;
};

// A region of one map, cut into bins; each bin is the mean of samples at points of a grid in it.
template <class T>
void pool_region(const T* map, std::int64_t height, std::int64_t width, const T* region, const Pooling& pooling,
                 T* out) {
  const T offset = pooling.aligned ? T(0.5) : T(0), scale = static_cast<T>(pooling.scale);
  const T left = region[0] * scale - offset, top = region[1] * scale - offset;
  T wide = region[2] * scale - offset - left, high = region[3] * scale - offset - top;
  if (!pooling.aligned) {
    wide = std::max(wide, T(1));
    high = std::max(high, T(1));
  }
  const T bin_width = wide / static_cast<T>(pooling.width), bin_height = high / static_cast<T>(pooling.height);
  const auto samples = [&](T bin) {
    return pooling.samples > 0 ? pooling.samples : std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(bin)));
  };
  const std::int64_t rows = samples(bin_height), columns = samples(bin_width);
  const auto count = static_cast<T>(std::max<std::int64_t>(rows * columns, 1));
  const auto point = [](T start, T bin, std::int64_t i, std::int64_t sample, std::int64_t n) {
    return start + static_cast<T>(i) * bin + (static_cast<T>(sample) + T(0.5)) * bin / static_cast<T>(n);
  };
  for (std::int64_t i = 0; i < pooling.height; ++i)
    for (std::int64_t j = 0; j < pooling.width; ++j) {
      T sum = 0;
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c)
          sum += interpolate(map, height, width, point(top, bin_height, i, r, rows),
                             point(left, bin_width, j, c, columns));
      *out++ = sum / count;
    }
}

void check_regions(const Tensor& input, const Tensor& rois, const Pooling& pooling) {
  check_floating("roi_align", "input", input, input.dtype());
  check_floating("roi_align", "rois", rois, input.dtype());
  if (input.dim() != 4 || input.size(2) < 1 || input.size(3) < 1 || rois.dim() != 2 || rois.size(1) != 5 ||
      pooling.height < 1 || pooling.width < 1)
    fail_value("roi_align: " + describe("input", input) + ", " + describe("rois", rois) + ", bins " +
               std::to_string(pooling.height) + " by " + std::to_string(pooling.width) +
               "; expected [n, channels, height, width], [count, 5], and 1 or more each way");
  const Tensor wide = convert(rois, DType::kFloat64, "roi_align").contiguous();
  for (std::int64_t i = 0; i < rois.size(0); ++i) {
    const double* const region = wide.data<const double>() + 5 * i;
    if (!(region[0] >= 0 && region[0] < static_cast<double>(input.size(0))) ||
        !std::all_of(region + 1, region + 5, [](double x) { return std::abs(x) < 1e6; }))
      fail_value("roi_align: region " + std::to_string(i) + " is of image " + std::to_string(region[0]) + " of " +
                 std::to_string(input.size(0)) + ", or not within a million; expected an image and finite corners");
  }
}

// input: [n, channels, height, width]; rois: [count, 5], image, left, top, right, bottom -> [count, channels, bins].
Tensor roi_align(const Tensor& input, const Tensor& rois, double spatial_scale, std::int64_t pooled_height,
                 std::int64_t pooled_width, std::int64_t sampling_ratio, bool aligned) {
  const Pooling pooling{spatial_scale, pooled_height, pooled_width, sampling_ratio, aligned};
  check_regions(input, rois, pooling);
  const std::int64_t channels = input.size(1), height = input.size(2), width = input.size(3);
  const Tensor out = Tensor::empty(Dims{rois.size(0), channels, pooled_height, pooled_width}, input.dtype());
  const Tensor maps = input.contiguous(), regions = rois.contiguous();
  visit_dtype(FloatingTypes(), input.dtype(), "roi_align", [&]<class T>() {
    const std::int64_t bins = pooled_height * pooled_width;
    parallel_for(0, rois.size(0) * channels, 1 + 4096 / bins, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* const region = regions.data<const T>() + i / channels * 5;
        const std::int64_t image = static_cast<std::int64_t>(region[0]), channel = i % channels;
        pool_region(maps.data<const T>() + (image * channels + channel) * height * width, height, width, region + 1,
                    pooling, out.data<T>() + i * bins);
      }
    });
  });
  return out;
}

constexpr OpDefinition kOps[] = {
    define_op<in_float<nms>>("torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"),
    define_op<in_float<roi_align>>(
        "torchvision::roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt "
        "pooled_width, int sampling_ratio, bool aligned) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> detection_ops() { return kOps; }

}  // namespace threadwheel
