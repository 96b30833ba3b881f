"""Every archive of tests/data/torchscript/zoo gives the results that torch gave, as loaded and frozen, however often."""

from __future__ import annotations

import pytest
from goldens import DATA, check_case

from threadwheel import jit

ZOO = sorted(path.stem for path in (DATA / "zoo").glob("*.npz"))

# Programs that count their calls: the second one is another case.
STATEFUL = {"policy_rnn_script", "policy_rnn_trace"}


@pytest.mark.parametrize("frozen", [False, True], ids=["loaded", "frozen"])
@pytest.mark.parametrize("name", ZOO)
def test_archives_give_the_results_of_torch(name: str, frozen: bool) -> None:
    module = jit.load(DATA / "zoo" / f"{name}.pt")
    if frozen:
        module = jit.freeze(module)
    for _ in range(1 if name in STATEFUL else 2):
        check_case(module, DATA / "zoo" / f"{name}.npz")
