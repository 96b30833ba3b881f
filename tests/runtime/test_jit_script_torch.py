"""What code written for PyTorch says besides ops: tolist, no_grad, devices, dtypes, functional, marks on functions."""

from __future__ import annotations

import math
from typing import Any, List, Union  # noqa: UP035  (programs are written so)

import pytest

import threadwheel as torch
import threadwheel.nn.functional as F
from threadwheel import Tensor, nn


def refused(function: Any, exception: type[Exception], text: str) -> None:
    with pytest.raises(exception) as error:
        torch.jit.script(function)
    assert text in str(error.value) and f"{__file__}:" in str(error.value) and "<--- here" in str(error.value)


# --- tolist --------------------------------------------------------------------------------------------


def test_tolist_takes_its_type_from_an_annotation() -> None:
    def assigned(x: Tensor) -> int:
        rows: List[List[int]] = x.tolist()  # noqa: UP006
        total: int = x.sum().tolist()
        return rows[1][0] + 100 * total

    def returned(x: Tensor) -> list[float]:
        return x.tolist()  # type: ignore[no-any-return]

    def annotated(x: Tensor) -> int:
        return len(torch.jit.annotate(List[bool], x.tolist()))  # noqa: UP006

    assert torch.jit.script(assigned)(torch.tensor([[1, 2], [3, 4]])) == 1003
    assert torch.jit.script(returned)(torch.tensor([1.5, 2.5])) == [1.5, 2.5]
    assert torch.jit.script(annotated)(torch.tensor([True, False])) == 2


def test_the_tensor_must_be_what_the_annotation_of_tolist_says() -> None:
    def rows(x: Tensor) -> list[list[int]]:
        result: list[list[int]] = x.tolist()
        return result

    compiled = torch.jit.script(rows)
    assert compiled(torch.zeros(0, 2, dtype=torch.long)) == []
    with pytest.raises(
        RuntimeError, match="tolist: the tensor has 1 dimensions and the annotation 2; they must be the"
    ):
        compiled(torch.tensor([1]))
    with pytest.raises(RuntimeError, match="tolist: the elements are float32, which are not of the type of number in"):
        compiled(torch.ones(1, 1))


def test_tolist_without_an_annotation_is_refused() -> None:
    def f(x: Tensor) -> int:
        values = x.tolist()
        return len(values)

    refused(f, TypeError, "what tolist() gives is not known here; annotate it, as in 'values: list[int] = x.tolist()'")


# --- gradients, devices, dtypes, constants ----------------------------------------------------------------


def test_blocks_on_gradients_have_no_effect() -> None:
    @torch.no_grad()
    def f(x: Tensor) -> Tensor:
        with torch.no_grad():
            y = x + 1
        with torch.inference_mode(), torch.enable_grad(), torch.set_grad_enabled(False):
            y = y * 2
        return y

    assert torch.jit.script(f)(torch.ones(1)).tolist() == [4]


def test_other_with_blocks_are_refused() -> None:
    def unknown(x: Tensor) -> Tensor:
        with open("file"):  # noqa: PTH123
            x = x + 1
        return x

    def named(x: Tensor) -> Tensor:
        with torch.no_grad() as mode:
            x = x + 1
        return mode

    refused(unknown, ValueError, "'open' is a builtin_function_or_method, which programs cannot use")
    refused(named, ValueError, "'mode' is not defined")


def test_devices_and_dtypes_are_what_they_are_in_python() -> None:
    def f(x: Tensor, device: torch.device) -> tuple[Tensor, bool, str]:
        y = torch.zeros(2, dtype=torch.long, device=torch.device("cpu")).to(device)
        return x.to(device, torch.double) + y.to(torch.half), x.device == torch.device("cpu"), x.device.type

    y, same, name = torch.jit.script(f)(torch.ones(2), torch.device("cpu"))
    assert (y.dtype, y.tolist(), same, name) == (torch.double, [1, 1], True, "cpu")

    def other() -> Tensor:
        return torch.zeros(1, device=torch.device("cuda"))

    with pytest.raises(NotImplementedError, match="device: unsupported device 'cuda'; there is 'cpu' only"):
        torch.jit.script(other)()


def test_casts_and_attributes_are_those_of_the_class() -> None:
    def f(x: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
        return x.byte(), x.char(), x.cfloat().real.T, x.ndim

    for scripted, eager in zip(torch.jit.script(f)(torch.ones(2, 3)), f(torch.ones(2, 3)), strict=True):
        assert repr(scripted) == repr(eager)


def test_constants_of_torch_and_math() -> None:
    def f() -> list[float]:
        return [torch.pi, torch.e, torch.inf, math.pi, math.inf, math.tau]

    assert torch.jit.script(f)() == f() == [math.pi, math.e, math.inf, math.pi, math.inf, math.tau]


def test_a_tensor_stays_one_where_ints_are_allowed_too() -> None:
    def f(x: Union[int, Tensor], n: int) -> bool:  # noqa: UP007
        return isinstance(x, Tensor)

    compiled = torch.jit.script(f)
    assert compiled(torch.tensor(1), torch.tensor(1)) and not compiled(1, 1)


def test_numbers_may_stand_to_the_left_of_any_operator() -> None:
    def f(x: Tensor) -> list[Tensor]:
        return [2 & x, 4 | x, 1 ^ x, 7 - x, 2 + x, 3 * x, 2 > x, 2 == x]  # noqa: SIM300

    x = torch.tensor([1, 2, 3])
    assert [y.tolist() for y in torch.jit.script(f)(x)] == [y.tolist() for y in f(x)]


def test_masks_of_several_dimensions_before_other_indices() -> None:
    def f(x: Tensor, mask: Tensor, rows: Tensor) -> list[Tensor]:
        y = x.clone()
        y[mask, 1:] = 0
        y[mask, 0] += 7
        parts = [x[mask, 1:], x[mask, 0], x[mask, None], x[mask[:, 0], 1:, 2], x[rows, 1:], x[rows, :, [0, 1]]]
        return parts + [x[mask, ..., 1:], y]  # noqa: RUF005  (programs have no starred lists)

    x, rows = torch.arange(24).view(2, 3, 4), torch.tensor([1, 0])
    mask = torch.tensor([[True, False, True], [False, True, False]])
    for scripted, eager in zip(torch.jit.script(f)(x, mask, rows), f(x, mask, rows), strict=True):
        assert repr(scripted) == repr(eager)


def test_an_index_of_another_type_is_refused() -> None:
    def f(x: Tensor, i: float) -> Tensor:
        return x[i, 1:]

    refused(f, TypeError, "a tensor has no index of type float; expected ints, slices, None, '...', tensors or lists")


def test_augmented_assignments_change_the_tensor_that_others_see() -> None:
    def f(x: Tensor) -> tuple[Tensor, Tensor]:
        alias, n = x, x.long()
        x += 1
        x *= 3
        x -= 2
        x /= 2
        x //= 1.5
        x %= 4
        x **= 2
        other = n
        n &= 6
        n |= 1
        n ^= 2
        n <<= 2
        n >>= 1
        return alias, other

    for scripted, eager in zip(torch.jit.script(f)(torch.arange(5.0)), f(torch.arange(5.0)), strict=True):
        assert repr(scripted) == repr(eager)


# --- functions that are left out -------------------------------------------------------------------------


@torch.jit.unused
def beyond(x: Tensor) -> Tensor:
    """Nothing that a program could do."""
    try:
        return x[::-1]
    except ValueError:
        return x.flip(0)


@torch.jit.ignore
def only_in_python(x: Tensor) -> Any:
    return x.numpy()


def test_a_function_that_is_left_out_raises_when_a_program_calls_it() -> None:
    def f(x: Tensor, wanted: int) -> Tensor:
        if wanted == 1:
            return beyond(x)
        if wanted == 2:
            only_in_python(x)
        return x

    compiled = torch.jit.script(f)
    x = torch.tensor([1, 2])
    assert compiled(x, 0).tolist() == [1, 2] and f(x, 1).tolist() == [2, 1]
    with pytest.raises(NotImplementedError, match=r"^beyond: jit.unused leaves it out of programs; call it in Python"):
        compiled(x, 1)
    with pytest.raises(NotImplementedError, match=r"^only_in_python: jit.ignore leaves it out of programs; call it in"):
        compiled(x, 2)


class Exporting(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)

    @torch.jit.export
    def double(self, x: Tensor) -> Tensor:
        return x * 2

    @torch.jit.ignore(drop=True)
    def report(self, x: Tensor) -> None:
        print(x.numpy())


class Broken(Exporting):
    @torch.jit.export
    def wrong(self, x: Tensor) -> Tensor:
        return x.no_such_op()  # type: ignore[no-any-return, attr-defined]


def test_exported_methods_are_compiled_with_their_module() -> None:
    compiled = torch.jit.script(Exporting())
    assert compiled.double(torch.ones(1)).tolist() == [2]
    with pytest.raises(NotImplementedError, match=r"report: jit.ignore leaves it out of programs"):
        compiled.report(torch.ones(1))
    with pytest.raises(TypeError, match="aten::no_such_op: this op is not implemented"):
        torch.jit.script(Broken())


# --- nn.functional -----------------------------------------------------------------------------------------


def test_programs_use_functional() -> None:
    def f(x: Tensor, w: Tensor) -> list[Tensor]:
        return [F.relu(x, inplace=False), F.linear(x, w), F.softmax(x, dim=-1), nn.functional.silu(x)]

    x, w = torch.tensor([[1.0, -2.0]]), torch.ones(3, 2)
    assert [y.tolist() for y in torch.jit.script(f)(x, w)] == [y.tolist() for y in f(x, w)]


def test_a_function_that_functional_lacks_is_refused() -> None:
    def f(x: Tensor) -> Tensor:
        return F.no_such_layer(x)  # type: ignore[attr-defined, no-any-return]

    refused(f, ValueError, "module 'threadwheel.nn.functional' has no attribute 'no_such_layer'")
