"""Make versions.zip: archives of old file formats, and what torch 2.13, which upgrades them, gives for them.

Each op that torch has upgraders for, as programs of its time had it, before and after it changed. In the form of the
zoo, VERSION/NAME.pt and .npz; without .npz where torch refuses the archive. Run it with torch installed.
"""

from __future__ import annotations

import io
import sys
import warnings
import zipfile
from pathlib import Path

import torch
from tszoo_io import save_case

sys.path.insert(0, str(Path(__file__).parents[2] / "runtime"))
from archives import dict_of, instance, records, text, zipped

HERE = Path(__file__).parent

INTS, MORE = torch.tensor([-7, -6, 5, 8]), torch.tensor([2, -4, 3, -3])
FLOATS, BYTES = torch.tensor([-7.0, -6.5, 5.0, 8.25]), torch.tensor([7, 6, 5, 200], dtype=torch.uint8)

TENSORS, NUMBER = "x: Tensor, y: Tensor", "x: Tensor, y: number"
DIVISIONS = {
    "ints": (TENSORS, (INTS, MORE)),
    "ints_floats": (TENSORS, (INTS, FLOATS)),
    "floats_ints": (TENSORS, (FLOATS, MORE)),
    "bytes": (TENSORS, (BYTES, INTS.to(torch.int32))),
    "ints_int": (NUMBER, (INTS, 2)),
    "ints_float": (NUMBER, (INTS, 2.0)),
    "floats_int": (NUMBER, (FLOATS, 2)),
}
SPACE = "start: float, end: float"
OPTIONS = "dtype={}, layout=None, device=None, pin_memory=None"


# The first file format in which an op means what it means today, by the beginning of a case's name.
CHANGED = {"div": 4, "full": 5, "linspace": 8, "logspace": 9, "gelu": 10}
NEWEST = 10
# Where torch's compiler makes an int of the bool before full sees it.
UNLIKE = {"full_bool": (5, NEWEST)}


def division(expression: str) -> dict[str, tuple[str, str, tuple]]:
    return {key: (parameters, expression, inputs) for key, (parameters, inputs) in DIVISIONS.items()}


def named(prefix: str, cases: dict[str, tuple[str, str, tuple]]) -> dict[str, tuple[str, str, tuple]]:
    return {f"{prefix}_{key}": case for key, case in cases.items()}


# Parameters, what is returned, inputs.
CASES: dict[str, tuple[str, str, tuple]] = {
    **named("div", division("torch.div(x, y)")),
    **named("div_mode", division("torch.div(x, y, rounding_mode='floor')")),
    "div_in_place_ints": (TENSORS, "torch.div_(x, y)", (INTS, MORE)),
    "div_in_place_floats": (TENSORS, "torch.div_(x, y)", (FLOATS, MORE)),
    "div_in_place_int": (NUMBER, "torch.div_(x, y)", (INTS, 2)),
    "div_method": (TENSORS, "(x).div(y, )", (INTS, MORE)),
    "div_numbers": ("x: int, y: int", "torch.div(x, y)", (7, 2)),
    "full_int": ("x: int", f"torch.full([2], x, {OPTIONS.format(None)})", (3,)),
    "full_bool": ("x: bool", "torch.full([2], x)", (True,)),
    "full_number": ("x: number", "torch.full([2], x)", (3,)),
    "full_dtype": ("x: int", f"torch.full([2], x, {OPTIONS.format(4)})", (3,)),
    "linspace": (SPACE, "torch.linspace(start, end, 5)", (0.0, 10.0)),
    "linspace_default": (SPACE, f"torch.linspace(start, end, None, {OPTIONS.format(7)})", (0.0, 10.0)),
    "linspace_left_out": (SPACE, "torch.linspace(start, end)", (0.0, 10.0)),
    "logspace": (SPACE, "torch.logspace(start, end, 5, 2.)", (0.0, 3.0)),
    "logspace_default": (SPACE, "torch.logspace(start, end, None, 2.)", (0.0, 3.0)),
    "logspace_left_out": (SPACE, "torch.logspace(start, end)", (0.0, 3.0)),
    "gelu": ("x: Tensor", "torch.gelu(x)", (FLOATS,)),
}


def archive(parameters: str, expression: str, version: int) -> bytes:
    code = f"class M(Module):\n  def forward(self: __torch__.M, {parameters}) -> {{}}:\n    return {expression}\n"
    result = "float" if parameters.startswith("x: int, y") else "Tensor"
    made = records(instance("__torch__.M", dict_of(text("training"), b"\x89")))
    del made["version"]
    where = "version" if version < 6 else ".data/version"
    return zipped(made | {"code/__torch__.py": code.format(result).encode(), where: f"{version}\n".encode()})


def golden(data: bytes, inputs: tuple) -> bytes | None:
    arguments = [each.clone() if isinstance(each, torch.Tensor) else each for each in inputs]
    try:
        result = torch.jit.load(io.BytesIO(data)).forward(*arguments)
    except RuntimeError:
        return None
    case = io.BytesIO()
    save_case(case, inputs, result)
    return case.getvalue()


def main() -> None:
    warnings.simplefilter("ignore")
    with zipfile.ZipFile(HERE / "versions.zip", "w") as out:

        def add(name: str, data: bytes) -> None:
            # Of no time, so that the bytes are the same each time.
            out.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, compresslevel=9)

        for name, (parameters, expression, inputs) in CASES.items():
            changed = CHANGED[name.split("_")[0]]
            for version in sorted({1, changed - 1, changed, NEWEST} - {*UNLIKE.get(name, ())}):
                data = archive(parameters, expression, version)
                add(f"{version}/{name}.pt", data)
                if (case := golden(data, inputs)) is not None:
                    add(f"{version}/{name}.npz", case)


if __name__ == "__main__":
    main()
