"""torchvision's own ops, called as archives of detection models call them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import threadwheel as tw

call_op = tw._core._testing.call_op
Array = np.ndarray


def nms(boxes: Any, scores: Any, threshold: float) -> list[int]:
    result: list[int] = call_op("torchvision::nms", np.array(boxes, "f4"), np.array(scores, "f4"), threshold)[
        0
    ].tolist()
    return result


def roi_align(maps: Array, regions: Array, scale: float, size: tuple[int, int], ratio: int, aligned: bool) -> Array:
    result: Array = call_op("torchvision::roi_align", maps, regions, scale, *size, ratio, aligned)[0].numpy()
    return result


def test_boxes_that_overlap_a_better_one_are_dropped() -> None:
    # The second covers two thirds of what it and the first cover together, the third nothing of them.
    boxes = [[0, 0, 10, 10], [0, 2, 10, 12], [20, 20, 30, 30], [0, 0, 10, 10]]
    assert nms(boxes, [0.8, 0.9, 0.1, 0.7], 0.6) == [1, 2]
    assert nms(boxes, [0.8, 0.9, 0.1, 0.7], 0.7) == [1, 0, 2]
    assert nms(boxes, [0.5, 0.5, 0.5, 0.5], 0.7) == [0, 1, 2]
    assert nms(np.zeros((0, 4)), np.zeros(0), 0.5) == []
    assert nms([[1, 1, 1, 1], [1, 1, 1, 1]], [1, 2], 0.5) == [1, 0]  # of no area


def at(map_: Array, y: float, x: float) -> float:
    height, width = map_.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    low, left = int(y), int(x)
    high, right = min(low + 1, height - 1), min(left + 1, width - 1)
    p, q = y - low, x - left
    above = (1 - q) * map_[low, left] + q * map_[low, right]
    return float((1 - p) * above + p * ((1 - q) * map_[high, left] + q * map_[high, right]))


def expected_regions(
    maps: Array, regions: Array, scale: float, size: tuple[int, int], ratio: int, aligned: bool
) -> Array:
    """The definition, a sample at a time."""
    out = np.zeros((len(regions), maps.shape[1], *size))
    for n, (image, *corners) in enumerate(regions.tolist()):
        x0, y0, x1, y1 = (corner * scale - (0.5 if aligned else 0) for corner in corners)
        wide, high = (x1 - x0, y1 - y0) if aligned else (max(x1 - x0, 1), max(y1 - y0, 1))
        bin_h, bin_w = high / size[0], wide / size[1]
        rows, columns = (ratio, ratio) if ratio > 0 else (max(0, math.ceil(bin_h)), max(0, math.ceil(bin_w)))
        for c, i, j in np.ndindex(out.shape[1:]):
            samples = [
                at(maps[int(image), c], y0 + (i + (r + 0.5) / rows) * bin_h, x0 + (j + (k + 0.5) / columns) * bin_w)
                for r in range(rows)
                for k in range(columns)
            ]
            out[n, c, i, j] = sum(samples) / max(1, len(samples))
    return out


@pytest.mark.parametrize("ratio", [-1, 2])
@pytest.mark.parametrize("aligned", [False, True])
def test_regions_are_the_means_of_samples(ratio: int, aligned: bool) -> None:
    rng = np.random.default_rng(0)
    maps = rng.standard_normal((2, 3, 8, 6))
    regions = np.array([[0, 2, 2, 9, 12], [1, -3, 0, 40, 14], [1, 4, 4, 4, 4], [0, 9, 9, 1, 1]], "f8")
    got = roi_align(maps, regions, 0.5, (3, 2), ratio, aligned)
    np.testing.assert_allclose(got, expected_regions(maps, regions, 0.5, (3, 2), ratio, aligned), atol=1e-12)


def test_a_region_is_the_same_on_any_number_of_threads() -> None:
    maps = np.random.default_rng(1).standard_normal((1, 64, 20, 20)).astype("f4")
    regions = np.array([[0, i, i, i + 6, i + 8] for i in range(12)], "f4")
    with tw.num_threads(1):
        expected = roi_align(maps, regions, 1.0, (7, 7), 2, False)
    np.testing.assert_array_equal(roi_align(maps, regions, 1.0, (7, 7), 2, False), expected)


MAPS, REGION = np.ones((1, 1, 4, 4), "f4"), np.array([[0, 0, 0, 2, 2]], "f4")


@pytest.mark.parametrize(
    ("name", "arguments", "error", "text"),
    [
        (
            "nms",
            (np.ones((2, 4), "f4"), np.ones(3, "f4"), 0.5),
            ValueError,
            r"nms: dets .* expected \[n, 4\] and \[n\]",
        ),
        ("nms", (np.ones((2, 4), "f4"), np.ones(2, "f8"), 0.5), NotImplementedError, "nms: scores has dtype float64"),
        ("roi_align", (MAPS, REGION[:, 1:], 1.0, 2, 2, 2, False), ValueError, "roi_align: input .* expected"),
        ("roi_align", (MAPS[:, :, :0], REGION, 1.0, 2, 2, 2, False), ValueError, "roi_align: input .* expected"),
        ("roi_align", (MAPS, REGION + 1, 1.0, 2, 2, 2, False), ValueError, "region 0 is of image 1.0+ of 1"),
        ("roi_align", (MAPS, REGION + np.nan, 1.0, 2, 2, 2, False), ValueError, "region 0 is of image nan of 1"),
    ],
)
def test_what_has_other_sizes_is_refused(name: str, arguments: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call_op(f"torchvision::{name}", *arguments)
