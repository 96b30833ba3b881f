"""Make models.zip, NAME.pt and NAME.npz: the programs of the files beside this one, and what torch 2.13 gives for them.

Run it with torch installed.
"""

from __future__ import annotations

import copy
import io
import os
import sys
import warnings
import zipfile
from pathlib import Path

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import language  # noqa: E402
import numbers_and_signals  # noqa: E402
import recurrent  # noqa: E402
import text  # noqa: E402
import vision  # noqa: E402
from case import Case, Makers  # noqa: E402
from tszoo_io import save_case  # noqa: E402

CASES: Makers = {}
for _file in (vision, text, recurrent, language, numbers_and_signals):
    assert not CASES.keys() & _file.CASES.keys()
    CASES |= _file.CASES


def archive(program: torch.jit.ScriptModule) -> bytes:
    """The archive without the maps of its source, which name folders of the machine that made it."""
    made = io.BytesIO()
    torch.jit.save(program, made)
    slim = io.BytesIO()
    with zipfile.ZipFile(made) as given, zipfile.ZipFile(slim, "w") as out:
        for name in given.namelist():
            if not name.endswith(".debug_pkl"):
                out.writestr(zipfile.ZipInfo(name), given.read(name))
    return slim.getvalue()


def golden(data: bytes, case: Case) -> bytes:
    program = torch.jit.load(io.BytesIO(data))
    with torch.no_grad():
        result = getattr(program, case.method)(*copy.deepcopy(case.inputs))
    file = io.BytesIO()
    save_case(file, case.inputs, result, method=case.method, **case.extra)
    return file.getvalue()


def make(name: str) -> tuple[bytes, bytes]:
    torch.manual_seed(0)
    case = CASES[name]()
    data = archive(case.program)
    return data, golden(data, case)


def main() -> None:
    if os.environ.get("PYTHONHASHSEED") != "0":  # torch writes constants in the order of a set
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with zipfile.ZipFile(HERE.parent / "models.zip", "w") as out:
        for name in CASES:
            for suffix, data in zip((".pt", ".npz"), make(name), strict=True):
                # Of no time, so that the bytes are the same each time.
                out.writestr(zipfile.ZipInfo(name + suffix), data, zipfile.ZIP_DEFLATED, compresslevel=9)


if __name__ == "__main__":
    main()
