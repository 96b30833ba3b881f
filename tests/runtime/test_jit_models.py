"""The programs of tests/data/torchscript/models.zip give the results that torch gave, as loaded and frozen."""

from __future__ import annotations

import zipfile

import pytest
from goldens import DATA, check_case

from threadwheel import jit

with zipfile.ZipFile(DATA / "models.zip") as _file:
    FILES = {name: _file.read(name) for name in _file.namelist()}

# Its forward writes what the next one reads: the second call is another case.
STATEFUL = {"stateful"}


@pytest.mark.parametrize("frozen", [False, True], ids=["loaded", "frozen"])
@pytest.mark.parametrize("name", [name.removesuffix(".pt") for name in FILES if name.endswith(".pt")])
def test_programs_give_the_results_of_torch(name: str, frozen: bool) -> None:
    module = jit.load(FILES[f"{name}.pt"])
    if frozen:
        module = jit.freeze(module)
    for _ in range(1 if name in STATEFUL else 2):
        check_case(module, FILES[f"{name}.npz"])
