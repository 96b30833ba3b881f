"""Archives of old file formats: what an op meant when they were written, as torch's own upgraders have it."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from archives import dict_of, instance, records, text, zipped
from goldens import DATA, check_case, load_case, to_input

import threadwheel as tw
from threadwheel import jit

with zipfile.ZipFile(DATA / "versions.zip") as _file:
    FILES = {name: _file.read(name) for name in _file.namelist()}
CASES = sorted(name.removesuffix(".pt") for name in FILES if name.endswith(".pt"))
REFUSED = [case for case in CASES if f"{case}.npz" not in FILES]


@pytest.mark.parametrize("frozen", [False, True], ids=["loaded", "frozen"])
@pytest.mark.parametrize("case", [case for case in CASES if case not in REFUSED])
def test_programs_mean_what_they_meant(case: str, frozen: bool) -> None:
    module = jit.load(FILES[f"{case}.pt"])
    check_case(jit.freeze(module) if frozen else module, FILES[f"{case}.npz"])


@pytest.mark.parametrize("case", REFUSED)
def test_newer_programs_cannot_say_what_older_ones_could(case: str) -> None:
    """As in torch: division in place of integers, and linspace without steps."""
    module = jit.load(FILES[f"{case}.pt"])
    inputs, _, _, spec = load_case(io.BytesIO(FILES[f"1/{case.split('/')[1]}.npz"]))
    with pytest.raises(RuntimeError):
        module(*map(to_input, inputs, spec["inputs"]))


def program(code: str, version: int) -> bytes:
    made = records(instance("__torch__.M", dict_of(text("training"), b"\x89")), version=f"{version}\n".encode())
    return zipped(made | {"code/__torch__.py": f"class M(Module):\n  {code}\n".encode()})


def test_what_has_no_older_form_names_the_op_and_the_version() -> None:
    code = "def forward(self: __torch__.M, x: Tensor) -> Tensor:\n    return torch.div(x, x, out=x)"
    with pytest.raises(NotImplementedError) as error:
        jit.load(program(code, 3))(np.ones(2, "f4"))
    assert str(error.value).startswith("aten::div: no overload takes (Tensor, Tensor, out=Tensor); there are\n")
    assert "aten::div has changed since the archive's version, 3: legacy::div: no overload takes" in str(error.value)
    with pytest.raises(NotImplementedError) as error:
        jit.load(program(code, 4))(np.ones(2, "f4"))
    assert "archive's version" not in str(error.value)


# The overloads of torch 2.13's operator version map that mean something else in older files. Its others, of
# div with a rounding mode and of gelu, changed their schema alone.
CHANGED = ["div.Tensor", "div.Scalar", "div.out", "div_.Tensor", "div_.Scalar", "full", "full.out"]
CHANGED += ["linspace", "linspace.out", "logspace", "logspace.out"]


def test_every_overload_that_changed_has_its_older_form() -> None:
    """Whoever adds div.out adds what it was: old programs must not get today's."""
    names = {schema.split("(")[0] for schema in tw._core.schemas()}
    assert {name for name in CHANGED if f"legacy::{name}" in names} == {
        name for name in CHANGED if f"aten::{name}" in names
    }
