"""Samples of torch's own op database, each traced into an archive: threadwheel gives what torch gives, or says why not.

A missing op or dtype is fine, a wrong answer is not; nor is one after freezing, or an argument written to that torch
leaves alone. --samples N takes more of each op and dtype; sample 0 is among the goldens.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from comparing import difference, in_child, to_ours
from torch.testing._internal.common_methods_invocations import op_db

from threadwheel import jit

DTYPES = (torch.float32, torch.float64, torch.int64, torch.uint8, torch.bool, torch.complex64)
MOST_ELEMENTS = 200_000
RUNS = 5  # what is the same so often has nothing to do with chance

# Op: what of it is nobody's promise.
LEFT_OPEN = {
    "empty_like": "elements of uninitialised memory",
    "new_empty": "elements of uninitialised memory",
    "new_empty_strided": "elements of uninitialised memory",
    "empty_strided": "elements of uninitialised memory",
    "matrix_exp": "digits of float32 that cancel",
    "bernoulli": "what is drawn, of few elements that may be drawn alike so often",
    "multinomial": "what is drawn, of weights that nearly always draw the same",
    "special.modified_bessel_i0": "infinity, of which torch makes NaN",
    "special.modified_bessel_i1": "infinity, of which torch makes NaN",
}


def tensors_of(value: Any) -> list[torch.Tensor]:
    """The tensors among arguments or results, in their order."""
    if isinstance(value, torch.Tensor):
        return [value]
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for entry in entries for tensor in tensors_of(entry)]


def filled_in(value: Any, tensors: Iterator[torch.Tensor]) -> Any:
    """`value` with these tensors in the places of its own."""
    if isinstance(value, torch.Tensor):
        return next(tensors)
    if isinstance(value, dict):
        return {key: filled_in(entry, tensors) for key, entry in value.items()}
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(filled_in(entry, tensors) for entry in value)
    return value


def traced(function: Any, sample: Any) -> tuple[bytes, list[torch.Tensor]] | None:
    """The archive of one call, with the sample's tensors as inputs and all else baked in. None: torch cannot."""
    arguments = ([sample.input, *sample.args], sample.kwargs)
    tensors = tensors_of(arguments)
    if not tensors or any(each.layout != torch.strided for each in tensors):
        return None
    if sum(each.numel() for each in tensors) > MOST_ELEMENTS:
        return None

    def program(*inputs: torch.Tensor) -> Any:
        positional, named = filled_in(arguments, iter(inputs))
        return function(*positional, **named)

    archive = io.BytesIO()
    try:
        module = torch.jit.trace(program, tuple(each.clone() for each in tensors), check_trace=False, strict=False)
        torch.jit.save(module, archive)
    except Exception:  # of any kind: not every op can be traced, or saved
        return None
    return archive.getvalue(), tensors


def expected_of(archive: bytes, tensors: list[torch.Tensor]) -> tuple[Any, list[torch.Tensor]] | None:
    """torch's result and its inputs afterwards. None: chance has a part in it, or numpy lacks what it is."""
    runs = []
    for _ in range(RUNS):
        inputs = [each.clone() for each in tensors]
        runs.append((torch.jit.load(io.BytesIO(archive))(*inputs), inputs))
    first, *others = (tensors_of(result) for result, _ in runs)
    if any(each.layout != torch.strided or each.dtype == torch.complex32 for each in first):
        return None
    pairs = [pair for other in others for pair in zip(first, other, strict=True)]
    return runs[0] if all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in pairs) else None


def problem_of(archive: bytes, tensors: list[torch.Tensor], frozen: bool) -> str | None:
    expected = expected_of(archive, tensors)
    if expected is None:
        return None
    inputs = [each.clone() for each in tensors]
    ours = [to_ours(each) for each in inputs]
    coarsest = next((str(each.dtype)[6:] for each in tensors if each.dtype in (torch.float32, torch.complex64)), None)
    try:
        module = jit.load(archive)
        result = (jit.freeze(module) if frozen else module)(*ours)
    except NotImplementedError:
        return None
    return difference(result, expected[0], coarsest) or difference(ours, expected[1], coarsest, "inputs")


def problems(op: Any, samples: int) -> list[str]:
    found = []
    for dtype in DTYPES:
        drawn = op.sample_inputs("cpu", dtype) if dtype in op.dtypes else iter(())
        for i, sample in enumerate(itertools.islice(drawn, 1, 1 + samples), start=1):
            case = traced(op.op, sample)
            for frozen in (False, True) if case else ():
                problem = problem_of(*case, frozen)
                if problem:
                    found.append(f"{dtype} {i} {'frozen' if frozen else 'loaded'}: {problem}: {sample.summary()}")
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("op", op_db, ids=lambda op: f"{op.name}.{op.variant_test_name}".rstrip("."))
def test_samples_agree(op: Any, samples: int) -> None:
    if op.name in LEFT_OPEN:
        pytest.skip(LEFT_OPEN[op.name])

    def work() -> list[str]:
        torch.set_num_threads(1)
        with torch.no_grad():
            return problems(op, samples)

    assert in_child(work) in ([], None)
