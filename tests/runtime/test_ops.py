"""The ops against numpy: dtypes, strides, broadcasting, empty and 0-dimensional operands, error texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import random_array
from hypothesis import given
from hypothesis import strategies as st

import threadwheel as tw

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64")
THREADS = (1, 2, 3)


@st.composite
def views(draw: st.DrawFn, dtype: str, max_dims: int = 4) -> np.ndarray:
    """An array of any layout: sliced with steps of both signs, transposed, with repeated dimensions."""
    shape = draw(st.lists(st.integers(0, 6), max_size=max_dims))
    steps = [draw(st.sampled_from((1, 1, 2, 3, -1, -2))) for _ in shape]
    base = random_array(tuple(n * abs(s) for n, s in zip(shape, steps, strict=True)), dtype, draw(st.integers(0, 99)))
    view = base[tuple(slice(None, None, step) for step in steps)]
    view = view.transpose(draw(st.permutations(range(view.ndim))))
    if view.ndim and len(view) and draw(st.booleans()):
        view = np.broadcast_to(view[:1], (draw(st.integers(0, 4)), *view.shape[1:]))
    return view


def same(result: tw.Tensor, expected: Any) -> None:
    expected = np.asarray(expected)
    assert result.shape == expected.shape
    assert result.dtype.name == expected.dtype.name
    np.testing.assert_array_equal(result.numpy(), expected)


# --- pointwise -------------------------------------------------------------------------------------


@given(data=st.data(), dtype=st.sampled_from(DTYPES))
def test_add_of_any_layout(data: st.DataObject, dtype: str) -> None:
    x = data.draw(views(dtype))
    keep = data.draw(st.integers(0, x.ndim))  # broadcasting: fewer dimensions, and sizes of 1
    y = random_array(tuple(data.draw(st.sampled_from((1, n))) for n in x.shape[x.ndim - keep :]), dtype, 7)
    same(tw.add(x, y), x + y)
    same(tw.add(y, x), y + x)


@given(data=st.data(), alpha=st.sampled_from((0, 1, -3, 2)))
def test_add_with_alpha(data: st.DataObject, alpha: int) -> None:
    for dtype in ("int32", "float64"):
        x = data.draw(views(dtype))
        same(tw.add(x, x[::-1] if x.ndim else x, alpha=alpha), x + alpha * (x[::-1] if x.ndim else x))


@given(data=st.data(), dtype=st.sampled_from(DTYPES))
def test_add_into_an_out_of_any_layout(data: st.DataObject, dtype: str) -> None:
    x = data.draw(views(dtype))
    memory = np.array(random_array(tuple(2 * n + 1 for n in reversed(x.shape)), dtype, 5))
    part = (..., *(slice(1, None, 2) for _ in x.shape))
    expected = memory.copy()
    expected.transpose()[part] = x + (x[:1] if x.ndim else x)
    same(tw.add(x, x[:1] if x.ndim else x, out=memory.transpose()[part]), expected.transpose()[part])
    np.testing.assert_array_equal(memory, expected)  # nothing beside it was written


def test_add_into_an_operand() -> None:
    x = random_array((5, 7))
    expected = x + x[0]
    tw.add(x, x[0], out=x)  # the row is read to its end before it is written
    np.testing.assert_array_equal(x, expected)
    tw.add(x, x, out=x)
    np.testing.assert_array_equal(x, expected * 2)
    line = random_array((9,))
    expected = line[:8] + line[1:]
    tw.add(line[:8], line[1:], out=line[1:])
    np.testing.assert_array_equal(line[1:], expected)


# torch's rules, where they differ from numpy's too: (operands) -> dtype
F32, F64, I32, I64, U8, I8, B = (np.ones(2, d) for d in ("f4", "f8", "i4", "i8", "u1", "i1", "?"))
F64_0, I64_0, F32_0 = np.array(1.0), np.array(1), np.array(1, "f4")


@pytest.mark.parametrize(
    ("x", "y", "dtype"),
    [
        (F32, F64, "float64"),
        (F32, I64, "float32"),
        (I32, I64, "int64"),
        (U8, I8, "int16"),
        (B, U8, "uint8"),
        (B, F32, "float32"),
        (F32, F64_0, "float32"),
        (I32, I64_0, "int32"),
        (I32, F64_0, "float64"),
        (I32, F32_0, "float32"),
        (F32_0, F64_0, "float64"),
        (F32, 2, "float32"),
        (F32, 2.5, "float32"),
        (I32, 2, "int32"),
        (I32, 2.5, "float32"),
        (I64, True, "int64"),
        (B, True, "bool"),
        (B, 2, "int64"),
        (F64, 2.5, "float64"),
        (U8, 300, "uint8"),
        (F32, np.float64(2.5), "float32"),  # numpy's scalars are numbers
        (I32, np.int64(2), "int32"),
        (I32, np.float32(2), "float32"),
    ],
)
def test_promotion_follows_torch(x: np.ndarray, y: Any, dtype: str) -> None:
    result = tw.add(x, y)
    assert result.dtype.name == dtype
    np.testing.assert_array_equal(result.numpy(), (np.asarray(x) + np.asarray(y)).astype(dtype))
    if isinstance(y, np.ndarray):
        assert tw.add(y, x).dtype.name == dtype


def test_numpy_scalars_are_tensors_where_no_number_is_taken() -> None:
    same(tw.relu(np.float64(-2)), np.float64(0))
    same(tw.add(np.float32(1), F32), F32 + 1)
    assert tw.sum(F64.sum()).item() == 2


def test_integers_wrap_around() -> None:
    for dtype in ("uint8", "int8", "int32", "int64"):
        top = np.full(3, np.iinfo(dtype).max, dtype)
        same(tw.add(top, np.ones(3, dtype)), np.full(3, np.iinfo(dtype).min, dtype))


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_relu_keeps_nan(dtype: str) -> None:
    x = np.array([-np.inf, -1, -0.0, 0, 2, np.inf, np.nan], dtype)
    same(tw.relu(x), np.where(x < 0, 0, x).astype(dtype))


@given(data=st.data(), dtype=st.sampled_from(DTYPES[1:]))
def test_relu_of_any_layout(data: st.DataObject, dtype: str) -> None:
    x = data.draw(views(dtype))
    same(tw.relu(x), np.maximum(x, 0))


def units_in_last_place(result: np.ndarray, exact: np.ndarray) -> float:
    """The largest error in units of the result's last place; `exact` has more digits."""
    info = np.finfo(result.dtype)
    exponent = np.maximum(np.floor(np.log2(exact)), info.minexp)
    return float(np.max(np.abs(result - exact) / np.exp2(exponent + exact.dtype.type(info.machep))))


# The largest errors measured over 2 million values in each range were 1.010 (float32) and 0.996 (float64).
@pytest.mark.parametrize(("dtype", "more_digits", "low", "high"), [("f4", "f8", -103, 88.7), ("f8", "g", -744, 709.7)])
def test_exp_is_accurate_to_one_unit(dtype: str, more_digits: str, low: float, high: float) -> None:
    random = np.random.default_rng(5)
    for a, b in ((-1, 1), (-20, 20), (low, high), (low, low * 0.9)):
        x = random.uniform(a, b, 100_000).astype(dtype)
        assert units_in_last_place(tw.exp(x).numpy(), np.exp(x.astype(more_digits))) < 1.05


@pytest.mark.parametrize("dtype", ("f4", "f8"))
def test_exp_of_special_values(dtype: str) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1e-30, 800, -800, 1e30, -1e30], dtype)
    with np.errstate(over="ignore"):
        same(tw.exp(x), np.exp(x))


def test_exp_of_integers_is_float32() -> None:
    for dtype in DTYPES[:-2]:
        result = tw.exp(random_array((5,), dtype))
        assert result.dtype is tw.float32 or result.dtype == tw.float32
        np.testing.assert_allclose(result.numpy(), np.exp(random_array((5,), dtype).astype("f8")), rtol=2e-7)


@pytest.mark.parametrize("dtype", ("f4", "f8"))
def test_bits_of_an_element_do_not_depend_on_its_place(dtype: str) -> None:
    x = np.random.default_rng(3).uniform(-20, 20, 100_001).astype(dtype)
    whole, scaled = tw.exp(x).numpy(), tw.add(x, x[::-1].copy(), alpha=0.3).numpy()
    for start in range(0, 70, 3):
        for length in (1, 3, 17, 100):
            part = slice(start, start + length)
            same(tw.exp(x[part]), whole[part])
            same(tw.add(x[part], x[::-1][part], alpha=0.3), scaled[part])
    for num_threads in THREADS:
        tw.set_num_threads(num_threads)
        same(tw.exp(x), whole)
        same(tw.exp(x[::3]), whole[::3])


# --- reductions ------------------------------------------------------------------------------------


def expected_sum(x: np.ndarray, **where: Any) -> np.ndarray:
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype("int64")
    return np.asarray(x.sum(dtype="f8" if x.dtype.kind == "f" else "i8", **where)).astype(dtype)


@pytest.mark.parametrize("shape", [(0, 2, 2), (2, 2, 0), (0, 3, 0), (2, 0, 2)])
@pytest.mark.parametrize("dims", [(0, 2), (0,), (2,), (0, 1, 2)])
def test_sum_over_nothing_is_zero(shape: tuple[int, ...], dims: tuple[int, ...]) -> None:
    """Kept dimensions between summed ones of size 0: once, memory beyond the tensor was summed."""
    for dtype in ("bool", "f4", "i8"):
        same(tw.sum(np.zeros(shape, dtype), list(dims)), expected_sum(np.zeros(shape, dtype), axis=dims))


@given(data=st.data(), dtype=st.sampled_from(DTYPES), keepdim=st.booleans())
def test_sum_over_any_dimensions(data: st.DataObject, dtype: str, keepdim: bool) -> None:
    x = data.draw(views(dtype))
    same(tw.sum(x), expected_sum(x))
    dims = tuple(data.draw(st.lists(st.integers(0, max(x.ndim - 1, 0)), unique=True, max_size=x.ndim)))
    signed = tuple(d - x.ndim if data.draw(st.booleans()) else d for d in dims)
    # no dimension named means all of them, as in torch
    same(tw.sum(x, signed, keepdim), expected_sum(x, axis=dims or None, keepdims=keepdim))
    if len(dims) == 1:
        same(tw.sum(x, dim=signed[0], keepdim=keepdim), expected_sum(x, axis=dims, keepdims=keepdim))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0,), (0, 2, 3), (2, 0, 3), (2, 3, 0)])
def test_sum_of_nothing_is_zero(shape: tuple[int, ...], dtype: str) -> None:
    x = np.zeros(shape, dtype)
    for dims in (None, *range(len(shape)), (0, -1)[: len(shape)]):
        same(tw.sum(x, dims), expected_sum(x, axis=dims))
        same(tw.sum(x.T, dims), expected_sum(x.T, axis=dims))
    same(tw.sum(x, dtype="float64"), x.sum(dtype="f8"))


@pytest.mark.parametrize("shape", [(3_000_001,), (70_000, 3), (3, 70_001), (40, 50, 60), (2, 100_000, 2), (1, 70_000)])
@pytest.mark.parametrize("dtype", ("f4", "f8", "i4"))
def test_sum_has_the_same_bits_for_every_number_of_threads(shape: tuple[int, ...], dtype: str) -> None:
    x = (np.random.default_rng(1).standard_normal(shape) * 1000).astype(dtype)
    for dims in (None, *range(len(shape)), tuple(range(len(shape)))):
        results = []
        for num_threads in (1, 2, 3, 5):
            tw.set_num_threads(num_threads)
            results.append(tw.sum(x, dims).numpy().tobytes())
        assert len(set(results)) == 1
        np.testing.assert_allclose(tw.sum(x, dims).numpy(), expected_sum(x, axis=dims), rtol=1e-6)


def test_sum_into_another_dtype() -> None:
    x = random_array((100,), "int32")
    same(tw.sum(x, dtype=tw.float64), x.sum(dtype="f8"))
    same(tw.sum(x, dtype="int8"), x.sum().astype("i1"))
    same(tw.sum(x, 0, dtype=np.float32), x.sum(dtype="f4"))
    same(tw.sum(random_array((9,), "float32"), dtype=np.dtype("i8")), random_array((9,), "float32").sum().astype("i8"))


# --- matrix products ---------------------------------------------------------------------------------


def close(result: tw.Tensor, expected: np.ndarray, terms: int) -> None:
    """Equal up to the rounding of a sum of that many products of numbers of about 1."""
    assert result.shape == expected.shape
    got = result.numpy()
    tolerance = 4 * np.finfo(got.dtype).eps * max(terms, 1)
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * 4)


@given(
    m=st.integers(0, 40),
    n=st.integers(0, 40),
    k=st.integers(0, 40),
    layout=st.tuples(*[st.sampled_from(("rows", "columns", "steps", "back"))] * 2),
    dtype=st.sampled_from(("float32", "float64")),
)
def test_mm_of_small_matrices(m: int, n: int, k: int, layout: tuple[str, str], dtype: str) -> None:
    def matrix(rows: int, columns: int, how: str) -> np.ndarray:
        return {
            "rows": lambda: random_array((rows, columns + 3), dtype)[:, :columns],
            "columns": lambda: random_array((columns, rows), dtype).T,
            "steps": lambda: random_array((rows * 2, columns * 2), dtype)[::2, ::2],
            "back": lambda: random_array((rows, columns), dtype)[::-1, ::-1],
        }[how]()

    a, b = matrix(m, k, layout[0]), matrix(k, n, layout[1])
    same(tw.mm(a, b), a @ b)  # small integers: exact in any order


@pytest.mark.parametrize(
    ("m", "n", "k"), [(300, 200, 100), (17, 1030, 513), (1030, 17, 300), (1, 500, 700), (3, 5, 9000)]
)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("num_threads", THREADS)
def test_mm_of_larger_matrices(m: int, n: int, k: int, dtype: str, num_threads: int) -> None:
    tw.set_num_threads(num_threads)
    random = np.random.default_rng(2)
    a, b = random.standard_normal((m, k)).astype(dtype), random.standard_normal((k, n)).astype(dtype)
    exact = a.astype("f8") @ b.astype("f8")
    for x in (a, np.asfortranarray(a)):
        for y in (b, np.asfortranarray(b)):
            close(tw.mm(x, y), exact, k)


def test_mm_mixes_with_numpy() -> None:
    a, b = random_array((30, 20)), random_array((20, 10))
    assert abs(tw.mm(a, b) - a @ b).max() == 0
    assert abs(a @ b - tw.mm(a, b)).max() == 0


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("num_threads", THREADS)
@pytest.mark.parametrize("bias", (False, True))
@pytest.mark.parametrize("shape", [(64,), (1, 64), (5, 64), (2, 3, 64), (200, 64), (0, 64), (4, 0), (2, 0, 3)])
def test_linear(shape: tuple[int, ...], bias: bool, num_threads: int, dtype: str) -> None:
    tw.set_num_threads(num_threads)
    random = np.random.default_rng(4)
    x, w = random.standard_normal(shape).astype(dtype), random.standard_normal((33, shape[-1])).astype(dtype)
    b = random.standard_normal(33).astype(dtype) if bias else None
    exact = x.astype("f8") @ w.T.astype("f8") + (b if bias else 0)
    close(tw.linear(x, w, b), exact, shape[-1])
    close(tw.linear(np.asfortranarray(x), np.asfortranarray(w), b), exact, shape[-1])


def convolve(x: np.ndarray, w: np.ndarray, stride: Any, padding: Any, dilation: Any, groups: int) -> np.ndarray:
    """Convolution by its definition, in float64."""
    (sy, sx), (py, px), (dy, dx) = (v if isinstance(v, tuple) else (v, v) for v in (stride, padding, dilation))
    x = np.pad(x.astype("f8"), ((0, 0), (0, 0), (py, py), (px, px)))
    n, _, height, width = x.shape
    o, cg, kh, kw = w.shape
    oh, ow = (height - dy * (kh - 1) - 1) // sy + 1, (width - dx * (kw - 1) - 1) // sx + 1
    out = np.zeros((n, o, oh, ow))
    for i in range(kh):
        for j in range(kw):
            part = x[:, :, i * dy : i * dy + (oh - 1) * sy + 1 : sy, j * dx : j * dx + (ow - 1) * sx + 1 : sx]
            grouped = part.reshape(n, groups, cg, oh, ow)
            weight = w[:, :, i, j].astype("f8").reshape(groups, o // groups, cg)
            out += np.einsum("ngchw,goc->ngohw", grouped, weight).reshape(out.shape)
    return out


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("bias", (False, True))
@pytest.mark.parametrize(
    ("shape", "weight", "options"),
    [
        ((1, 3, 16, 17), (8, 3, 3, 3), {}),
        ((2, 8, 20, 21), (16, 4, 3, 3), {"stride": 2, "padding": 1, "groups": 2}),
        ((2, 8, 9, 9), (8, 1, 3, 3), {"padding": 1, "groups": 8}),  # depthwise
        ((3, 16, 7, 7), (32, 16, 1, 1), {}),
        ((1, 16, 8, 8), (32, 16, 1, 1), {"stride": 2}),
        ((1, 4, 15, 12), (5, 4, 3, 5), {"stride": (2, 3), "padding": (0, 4), "dilation": (2, 1)}),
        ((1, 3, 10, 10), (4, 3, 2, 2), {"stride": 3}),  # the last rows are skipped
        ((1, 2, 5, 5), (3, 2, 5, 5), {}),
        ((0, 3, 8, 8), (4, 3, 3, 3), {}),
        ((1, 32, 40, 40), (48, 32, 3, 3), {"padding": 1}),
    ],
)
def test_conv2d(
    shape: tuple[int, ...], weight: tuple[int, ...], options: dict[str, Any], bias: bool, dtype: str
) -> None:
    random = np.random.default_rng(6)
    x, w = random.standard_normal(shape).astype(dtype), random.standard_normal(weight).astype(dtype)
    b = random.standard_normal(weight[0]).astype(dtype) if bias else None
    all_options = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1} | options
    exact = convolve(x, w, *all_options.values()) + (b[:, None, None] if bias else 0)
    for num_threads in THREADS:
        tw.set_num_threads(num_threads)
        close(tw.conv2d(x, w, b, **options), exact, w[0].size)
    channels_last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    close(tw.conv2d(channels_last, np.asfortranarray(w), b, **options), exact, w[0].size)
    if shape[0] == 1:  # without the batch
        close(tw.conv2d(x[0], w, b, **options), exact[0], w[0].size)


def test_library_kernels_follow_a_changing_number_of_threads() -> None:
    """A primitive made for one number of threads must not run with another."""
    random = np.random.default_rng(8)
    x, w = random.standard_normal((256, 256)).astype("f4"), random.standard_normal((256, 256)).astype("f4")
    image, kernel = (
        random.standard_normal((1, 16, 20, 20)).astype("f4"),
        random.standard_normal((16, 16, 3, 3)).astype("f4"),
    )
    exact, convolved = x.astype("f8") @ w.T.astype("f8"), convolve(image, kernel, 1, 1, 1, 1)
    for num_threads in (4, 1, 2, 4, 3, 1, 2):
        tw.set_num_threads(num_threads)
        close(tw.linear(x, w), exact, 256)
        close(tw.conv2d(image, kernel, padding=1), convolved, 144)
        with tw.num_threads(1):
            close(tw.linear(x, w), exact, 256)
        with tw.num_threads(3):
            close(tw.conv2d(image, kernel, padding=1), convolved, 144)


def test_ops_inside_of_regions_are_serial_and_the_same() -> None:
    random = np.random.default_rng(9)
    x, w = (random.standard_normal((256, 256)).astype("f4") for _ in range(2))
    image, kernel = (
        random.standard_normal((1, 16, 40, 40)).astype("f4"),
        random.standard_normal((16, 16, 3, 3)).astype("f4"),
    )
    for num_threads in (1, 2, 3, 2):
        tw.set_num_threads(num_threads)
        for name, arguments in (
            ("add", (x, w)),
            ("relu", (x,)),
            ("exp", (x,)),
            ("mean", (x,)),
            ("mm", (x, w)),
            ("linear", (x, w)),
            ("conv2d", (image, kernel)),
        ):
            with tw.num_threads(1):
                serial = getattr(tw, name)(*arguments)
            for result in tw._core._testing.call_in_region(f"aten::{name}", list(arguments), 7):
                same(result, serial)


# --- errors --------------------------------------------------------------------------------------------

M, V = np.ones((2, 3), "f4"), np.ones(3, "f4")
IMAGE, KERNEL = np.ones((1, 2, 5, 5), "f4"), np.ones((4, 2, 3, 3), "f4")


@pytest.mark.parametrize(
    ("call", "exception", "text"),
    [
        (
            lambda: tw.add(M, np.ones((2, 2), "f4")),
            ValueError,
            "add: sizes [2, 3] and [2, 2] do not broadcast; each pair of sizes, from the last on, must be equal or 1",
        ),
        (
            lambda: tw.add(np.ones(2, "i4"), np.ones(2, "i4"), alpha=0.5),
            ValueError,
            "add: alpha is a float and the result is int32; use an int",
        ),
        (
            lambda: tw.add(M, M, alpha=True),
            ValueError,
            "add: alpha is a bool and the result is float32; use an int",
        ),
        (
            lambda: tw.add(M, M, out=np.ones((2, 3), "i4")),
            ValueError,
            "add: the result is float32 and the tensor to write to int32; convert that first",
        ),
        (
            lambda: tw.add(M, V, out=np.ones((1, 3), "f4")),
            ValueError,
            "add: the result has sizes [2, 3] and the tensor to write to [1, 3]; they must be the same",
        ),
        (
            lambda: tw.add(M, M, out=np.frombuffer(bytes(24), "f4").reshape(2, 3)),
            ValueError,
            "add: the tensor to write to is read-only; pass a copy of it",
        ),
        (
            lambda: tw.add(M, M, out=np.lib.stride_tricks.as_strided(np.ones(9, "f4"), (2, 3), (8, 4))),
            ValueError,
            "add: the tensor to write to has sizes [2, 3] and strides [2, 1], where elements share memory; "
            "pass a copy of it",
        ),
        (
            lambda: tw.relu(np.ones(2, "?")),
            NotImplementedError,
            "relu: unsupported dtype bool; supported are integers and wider dtypes",
        ),
        (
            lambda: tw.erf(np.ones(2, "c8")),
            NotImplementedError,
            "erf: unsupported dtype complex64; supported are floats",
        ),
        (
            lambda: tw.sum(M, 2),
            IndexError,
            "sum: dim is 2 for a tensor of 2 dimensions; expected -2 to 1",
        ),
        (lambda: tw.sum(M, (0, -2)), ValueError, "sum: dim -2 is given twice; name each dimension once"),
        (lambda: tw.sum(np.float32(3), 1), IndexError, "sum: dim is 1 for a tensor of 0 dimensions; expected -1 to 0"),
        (lambda: tw.mm(M, V), ValueError, "mm: mat2 has 1 dimensions, sizes [3]; expected a matrix"),
        (
            lambda: tw.mm(M, M),
            ValueError,
            "mm: sizes [2, 3] and [2, 3] cannot be multiplied; the columns of the first must be as many as the rows of the second",
        ),
        (
            lambda: tw.mm(M, np.ones((3, 2))),
            ValueError,
            "mm: the operands are float32 and float64; they must have the same dtype",
        ),
        (
            lambda: tw.mm(np.ones((2, 2), "?"), np.ones((2, 2), "?")),
            NotImplementedError,
            "mm: unsupported dtype bool; supported are uint8, int8, int16, int32, int64, float32, float64, complex64, "
            "complex128",
        ),
        (
            lambda: tw.linear(M, np.ones((4, 2), "f4")),
            ValueError,
            "linear: input has sizes [2, 3] and weight has sizes [4, 2]; input's last size must be weight's second",
        ),
        (
            lambda: tw.linear(M, V, V),
            ValueError,
            "linear: weight has sizes [3]; expected [out_features, in_features]",
        ),
        (
            lambda: tw.linear(M, np.ones((4, 3), "f4"), V),
            ValueError,
            "linear: bias has sizes [3]; expected [4]",
        ),
        (
            lambda: tw.linear(M, np.ones((4, 3), "f4"), np.ones(4)),
            ValueError,
            "linear: input is float32, weight is float32, bias is float64; they must have the same dtype",
        ),
        (
            lambda: tw.conv2d(M, KERNEL),
            ValueError,
            "conv2d: input has sizes [2, 3]; expected 3 or 4 dimensions",
        ),
        (
            lambda: tw.conv2d(IMAGE, M),
            ValueError,
            "conv2d: weight has sizes [2, 3]; expected 4 dimensions, [out_channels, in_channels / groups, and the kernel's]",
        ),
        (
            lambda: tw.conv2d(IMAGE, KERNEL, groups=2),
            ValueError,
            "conv2d: input has sizes [1, 2, 5, 5], weight has sizes [4, 2, 3, 3] and groups is 2; input's channels must "
            "be weight's second size times groups, and weight's first size a multiple of groups",
        ),
        (lambda: tw.conv2d(IMAGE, KERNEL, groups=0), ValueError, "conv2d: groups is 0; expected 1 or more"),
        (lambda: tw.conv2d(IMAGE, KERNEL, stride=0), ValueError, "conv2d: stride is [0, 0]; expected 1 or more"),
        (
            lambda: tw.conv2d(IMAGE, KERNEL, padding=(1, -1)),
            ValueError,
            "conv2d: padding is [1, -1]; expected 0 or more",
        ),
        (
            lambda: tw.conv2d(IMAGE, KERNEL, stride=(1, 1, 1)),
            ValueError,
            "conv2d: stride has 3 numbers; expected 1 or 2",
        ),
        (
            lambda: tw.conv2d(IMAGE, KERNEL, dilation=3),
            ValueError,
            "conv2d: weight has sizes [4, 2, 3, 3] and the padded input is 5 high; the kernel must not be empty or "
            "larger than the padded input",
        ),
    ],
)
def test_error_texts(call: Any, exception: type[Exception], text: str) -> None:
    with pytest.raises(exception) as error:
        call()
    assert str(error.value) == text
