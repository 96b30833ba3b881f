"""Tensors as text: in Python and in programs, by the rules of PyTorch, whose own text is what is expected here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import threadwheel as tw


@pytest.mark.parametrize(
    ("data", "dtype", "text"),
    [
        ("1.0", None, "tensor(1.)"),
        ("[]", None, "tensor([])"),
        ("[[], []]", None, "tensor([], size=(2, 0))"),
        ("[1.0, 2.5, -3.0]", None, "tensor([ 1.0000,  2.5000, -3.0000])"),
        ("[1.0, 2.0, 30.0]", None, "tensor([ 1.,  2., 30.])"),
        ("[1e-05, 1.0]", None, "tensor([1.0000e-05, 1.0000e+00])"),
        ("[0.0001, 0.1]", None, "tensor([1.0000e-04, 1.0000e-01])"),
        ("[100000000.0, 1.0]", None, "tensor([1.0000e+08, 1.0000e+00])"),
        ("[1000.0, 1.0]", None, "tensor([1000.,    1.])"),
        ("[1001.0, 1.0]", None, "tensor([1.0010e+03, 1.0000e+00])"),
        ("[0.0, -0.0]", None, "tensor([0., -0.])"),
        ("[inf, -inf, nan]", None, "tensor([inf, -inf, nan])"),
        ("[1.5, inf, nan]", None, "tensor([1.5000,    inf,    nan])"),
        ("[1.0, inf]", None, "tensor([1., inf])"),
        ("[1, -20, 300]", None, "tensor([  1, -20, 300])"),
        ("[True, False]", None, "tensor([ True, False])"),
        ("[1, 2]", "uint8", "tensor([1, 2], dtype=threadwheel.uint8)"),
        ("[]", "int64", "tensor([], dtype=threadwheel.int64)"),
        ("[1.5]", "float64", "tensor([1.5000], dtype=threadwheel.float64)"),
        ("[0.1, 1.0]", "bfloat16", "tensor([0.1001, 1.0000], dtype=threadwheel.bfloat16)"),
        ("[0.1, 70.0]", "float16", "tensor([ 0.1000, 70.0000], dtype=threadwheel.float16)"),
        ("[1+2j, -0.5j]", None, "tensor([1.+2.0000j, -0.-0.5000j])"),
        ("[1e-6+1j, 100j]", None, "tensor([1.0000e-06+1.j, 0.0000e+00+100.j])"),
        ("[1j]", "complex128", "tensor([0.+1.j], dtype=threadwheel.complex128)"),
        (
            "list(range(30))",
            None,
            "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
            "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])",
        ),
        ("list(range(2000))", None, "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"),
        (
            "[[float(i + j) for i in range(40)] for j in range(40)]",
            None,
            "tensor([[ 0.,  1.,  2.,  ..., 37., 38., 39.],\n"
            "        [ 1.,  2.,  3.,  ..., 38., 39., 40.],\n"
            "        [ 2.,  3.,  4.,  ..., 39., 40., 41.],\n"
            "        ...,\n"
            "        [37., 38., 39.,  ..., 74., 75., 76.],\n"
            "        [38., 39., 40.,  ..., 75., 76., 77.],\n"
            "        [39., 40., 41.,  ..., 76., 77., 78.]])",
        ),
        (
            "[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]",
            None,
            "tensor([[[1, 2],\n         [3, 4]],\n\n        [[5, 6],\n         [7, 8]]])",
        ),
        (
            "[i / 7 for i in range(12)]",
            None,
            "tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429,\n"
            "        1.2857, 1.4286, 1.5714])",
        ),
    ],
)
def test_text_is_what_pytorch_prints(data: str, dtype: str | None, text: str) -> None:
    tensor = tw.tensor(eval(data, {"inf": inf, "nan": nan}), dtype=dtype)
    assert repr(tensor) == str(tensor) == text


def test_elements_are_read_through_any_strides() -> None:
    x = tw.arange(24).view(2, 3, 4)
    assert repr(x.permute(2, 0, 1)[1:3, :, ::2]) == repr(tw.tensor(x.permute(2, 0, 1)[1:3, :, ::2].tolist()))
    assert repr(tw.from_numpy(np.arange(4)[::-1])) == "tensor([3, 2, 1, 0])"
    assert repr(tw.ones(2, 1).expand(2, 3)) == "tensor([[1., 1., 1.],\n        [1., 1., 1.]])"


def test_a_long_remark_has_a_line_of_its_own() -> None:
    assert repr(tw.arange(17, dtype=tw.int32)) == (
        "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16],\n       dtype=threadwheel.int32)"
    )


def test_quantized_tensors_show_the_numbers_they_stand_for() -> None:
    x = tw.tensor([[1.0, -1.0], [0.5, 0.0]])
    q = tw.quantize_per_tensor(x, 0.1, 10, tw.quint8)
    assert repr(q) == (
        "tensor([[ 1.0000, -1.0000],\n        [ 0.5000,  0.0000]], dtype=threadwheel.quint8, scale=0.1,\n"
        "       zero_point=10)"
    )
    q = tw.quantize_per_channel(x, tw.tensor([0.5, 0.25]), tw.tensor([0, 1]), 0, tw.qint8)
    assert repr(q).startswith("tensor([[ 1.0000, -1.0000],\n        [ 0.5000,  0.0000]], dtype=threadwheel.qint8,")
    assert "scale=tensor([0.5000, 0.2500], dtype=threadwheel.float64)" in repr(q)
    assert "zero_point=tensor([0, 1])" in repr(q) and repr(q).endswith("axis=0)")


def test_programs_print_tensors_as_python_does(capfd: pytest.CaptureFixture[str]) -> None:
    def show(x: tw.Tensor, pair: tuple[tw.Tensor, int]) -> str:
        print("x is", x, [x, x])
        return f"{x} {pair}" + str(x) + "%s" % x  # noqa: UP031

    x = tw.tensor([[1.0, 2.0], [3.0, 4.5]])
    text = tw.jit.script(show)(x, (x, 1))
    assert text == f"{x} ({x}, 1){x}{x}"
    assert capfd.readouterr().out == f"x is {x} [{x}, {x}]\n"


@pytest.mark.parametrize(
    ("value", "specification", "text"),
    [(1.25, ".1f", "1.2"), (7, "03d", "007"), (1.0, "", "tensor(1.)"), ([1, 2], "", "tensor([1, 2])")],
)
def test_format(value: Any, specification: str, text: str) -> None:
    assert format(tw.tensor(value), specification) == text


def test_a_specification_is_for_one_number() -> None:
    with pytest.raises(TypeError) as error:
        format(tw.tensor([1.0, 2.0]), ".2f")
    assert (
        str(error.value) == "format: '.2f' is for numbers and the tensor has sizes [2]; leave it out or format item()"
    )


@pytest.fixture
def print_options() -> Iterator[Callable[..., None]]:
    yield tw.set_printoptions
    tw.set_printoptions(profile="default")


def test_options_are_those_of_torch(print_options: Callable[..., None]) -> None:
    x = tw.tensor([1.0, 0.123456, 2.5])
    print_options(precision=2)
    assert repr(x) == "tensor([1.00, 0.12, 2.50])"
    print_options(sci_mode=True)
    assert repr(x) == "tensor([1.00e+00, 1.23e-01, 2.50e+00])"
    print_options(profile="default")
    assert repr(x) == "tensor([1.0000, 0.1235, 2.5000])"
    assert repr(tw.tensor([1e-6, 1.0])) == "tensor([1.0000e-06, 1.0000e+00])"
    print_options(sci_mode=False)
    assert repr(tw.tensor([1e-6, 1.0])) == "tensor([0.0000, 1.0000])"
    print_options(threshold=4, edgeitems=1)
    assert repr(tw.arange(6)) == "tensor([0,  ..., 5])"
    print_options(linewidth=16, profile="full")
    assert repr(tw.arange(6)) == "tensor([0, 1, 2,\n        3, 4, 5])"


def test_options_that_are_none_are_refused(print_options: Callable[..., None]) -> None:
    with pytest.raises(
        ValueError, match=r"set_printoptions: precision is 101, .* precision must be 0 to 100, threshold 0"
    ):
        print_options(precision=101)
    with pytest.raises(ValueError, match=r"edgeitems 0, linewidth 80; .* the others 1 or more"):
        print_options(edgeitems=0)
    with pytest.raises(ValueError, match="profile is 'long'; expected 'default', 'short', 'full'"):
        print_options(profile="long")
