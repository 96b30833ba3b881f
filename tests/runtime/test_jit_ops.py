"""Single ops as programs: sample 0 of torch's own op database, one archive for each op and dtype.

What is not implemented must say so; nothing may be wrong. The number that passes only grows: LEAST is what passed when
it was last looked at.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

import pytest
from goldens import DATA, RANDOM, check_case

from threadwheel import jit

LEAST = 1373


@pytest.fixture(scope="module")
def cases() -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(DATA / "opinfo_sample0.zip") as file:
        yield file


def test_every_sample_is_right_or_says_what_is_missing(cases: zipfile.ZipFile) -> None:
    passed, wrong = [], []
    for name in sorted({name.rsplit(".", 1)[0] for name in cases.namelist()} - RANDOM):
        try:
            check_case(jit.load(cases.read(f"{name}.pt")), cases.read(f"{name}.npz"))
            passed.append(name)
        except NotImplementedError as error:
            assert ":" in str(error), name
        except (AssertionError, ValueError, TypeError, RuntimeError) as error:
            wrong.append(f"{name}: {type(error).__name__}: {error}")
    assert wrong == []
    assert len(passed) >= LEAST
