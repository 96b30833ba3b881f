"""The committed results are what torch gives, and threadwheel gives them too, for the same archives in one process."""

from __future__ import annotations

import copy
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import threadwheel as tw
from threadwheel import jit

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))
from goldens import DATA, RANDOM, check_case, compare, load_case

ZIPS = ("opinfo_sample0.zip", "versions.zip", "models.zip")


def cases() -> Iterator[tuple[str, bytes, bytes]]:
    """Name, archive and case of all that is committed."""
    for path in sorted((DATA / "zoo").glob("*.npz")):
        yield path.stem, path.with_suffix(".pt").read_bytes(), path.read_bytes()
    for name in ZIPS:
        with zipfile.ZipFile(DATA / name) as file:
            for entry in sorted(file.namelist()):
                if entry.endswith(".npz"):
                    stem = entry.removesuffix(".npz")
                    yield stem, file.read(f"{stem}.pt"), file.read(entry)


CASES = {name: (archive, case) for name, archive, case in cases() if name not in RANDOM}


def to_torch(value: Any, node: dict[str, Any]) -> Any:
    """A value of load_case as torch's."""
    if node["k"] == "tensor":
        tensor = torch.from_numpy(np.array(value).astype(np.int16 if node["dtype"] == "bfloat16" else value.dtype))
        return tensor.view(torch.bfloat16) if node["dtype"] == "bfloat16" else tensor
    if node["k"] in ("list", "tuple"):
        entries = [to_torch(*pair) for pair in zip(value, node["e"], strict=True)]
        return tuple(entries) if node["k"] == "tuple" else entries
    if node["k"] == "dict":
        return {key: to_torch(entry, pair[1]) for (key, entry), pair in zip(value.items(), node["e"], strict=True)}
    return value


def from_torch(value: Any) -> Any:
    """As ours, which goldens.compare takes."""
    if isinstance(value, torch.Tensor):
        plain = value.detach().resolve_conj().resolve_neg().contiguous()
        if plain.dtype == torch.bfloat16:
            return tw.view(tw.from_numpy(plain.view(torch.int16).numpy()), tw.bfloat16)
        return tw.from_numpy(plain.numpy())
    if isinstance(value, dict):
        return {key: from_torch(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [from_torch(entry) for entry in value] if isinstance(value, list) else tuple(map(from_torch, value))
    return value


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_torch_still_gives_what_is_committed(name: str) -> None:
    archive, case = CASES[name]
    inputs, keywords, expected, spec = load_case(io.BytesIO(case))
    if "uint64" in json.dumps(spec):
        pytest.skip("uint64 is no dtype here")
    arguments = [to_torch(*pair) for pair in zip(inputs, spec["inputs"], strict=True)]
    named = {key: to_torch(value, spec["kwargs"][key]) for key, value in keywords.items()}
    module = torch.jit.load(io.BytesIO(archive))
    with torch.no_grad():
        result = getattr(module, spec["method"])(*copy.deepcopy(arguments), **named)
    rtol, atol = spec.get("rtol", 1e-4), spec.get("atol", 1e-5)
    compare(from_torch(result), expected, spec["outputs"], rtol, atol)


@pytest.mark.parametrize("name", CASES)
def test_threadwheel_gives_it_beside_torch(name: str) -> None:
    archive, case = CASES[name]
    try:
        check_case(jit.load(archive), case)
    except NotImplementedError:
        pytest.skip("says what is not implemented")
