"""Every op of the registry that torch has too, on random arguments: results agree wherever both give one.

Where torch gives a result threadwheel may say that it has not implemented something; where torch refuses it may be more
generous. The arguments are the same at each run; --seeds N takes more of them.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from arguments import Maker, arguments_of
from comparing import difference, in_child, to_ours

import threadwheel as tw

# What is drawn, with the seeds of two processes: tests/runtime/test_ops_random.py has torch's numbers.
DRAWN = (
    *("rand", "randn", "randint", "rand_like", "randn_like", "randint_like", "randperm", "normal", "bernoulli"),
    *("multinomial", "uniform_", "normal_", "exponential_", "bernoulli_", "random_", "native_dropout"),
    *(f"{kind}dropout{place}" for kind in ("", "feature_", "alpha_", "feature_alpha_") for place in ("", "_")),
)

# Results that are nobody's promise, or not comparable through numpy.
LEFT_OPEN = {
    "empty": "elements of uninitialised memory",
    "empty_like": "elements of uninitialised memory",
    "empty_strided": "elements of uninitialised memory",
    "new_empty": "elements of uninitialised memory",
    "new_empty_strided": "elements of uninitialised memory",
    "stride": "numpy does not keep the strides of dimensions of size 0 and 1",
    "storage_offset": "numpy does not keep offsets",
    "linalg_svd": "the sign of singular vectors",
    "svd": "the sign of singular vectors",
    "linalg_eigh": "the sign of eigenvectors",
    "isin": "assume_unique of elements that are not",
    "unique_consecutive": "the inverse that was not asked for",
    "linalg_cholesky_ex": "what is left of a matrix that is not positive-definite",
    "linalg_qr": "of infinities and NaN",
    "qr": "of infinities and NaN",
    "geqrf": "of infinities and NaN",
    "special_shifted_chebyshev_polynomial_w": "of NaN, of which torch makes 1",
    **dict.fromkeys(
        ("special_bessel_j0", "special_bessel_j1", "special_bessel_y0", "special_bessel_y1", "special_airy_ai"),
        "far from zero, where torch loses digits and makes NaN of infinity",
    ),
    "histc": "16-bit floats at the edges of bins, which torch computes in 16 bits",
    "linalg_lstsq": "of matrices without full rank",
    "nanmedian": "of nothing, which is no integer",
    "i0": "infinity, of which torch makes NaN",
    "special_i1": "infinity, of which torch makes NaN",
    "special_modified_bessel_i1": "infinity, of which torch makes NaN",
    "polygamma": "poles, of which torch makes a large number",
    "polygamma_": "poles, of which torch makes a large number",
    "special_polygamma": "poles, of which torch makes a large number",
    "cosine_similarity": "norms beyond float32, which torch takes for infinite",
    "layer_norm": "variances beyond float32, of which torch makes NaN",
    "native_layer_norm": "variances beyond float32, of which torch makes NaN",
    "_make_per_tensor_quantized_tensor": "quantized tensors, which numpy lacks",
    "_fused_rms_norm": "the second result, which only gradients use",
    "to": "torch.ops calls an overload that no program can",
    **dict.fromkeys(DRAWN, "random numbers"),
}
"""Op: what is left open. Tests of tests/runtime say what is promised of them."""

ERRORS = (ValueError, TypeError, RuntimeError, IndexError, OverflowError, KeyError, ZeroDivisionError)
HALVES = (torch.float16, torch.bfloat16)


def schemas() -> dict[str, str]:
    """Full name: schema, of the ops on tensors that torch has."""
    found = {}
    for schema in tw._core.schemas():
        name, _, overload = schema[: schema.index("(")].removeprefix("aten::").partition(".")
        packet = getattr(torch.ops.aten, name, None) if schema.startswith("aten::") else None
        known = packet is not None and (overload or "default") in packet.overloads()
        odd = "..." in schema or "__torch__" in schema
        if known and not odd and "Tensor" in schema[: schema.rindex(") ->")] and name not in LEFT_OPEN:
            found[f"{name}.{overload}".removesuffix(".")] = schema
    return found


SCHEMAS = schemas()


def copies(values: Any) -> Any:
    """The tensors among the arguments, so that one side's writing is not the other's argument."""
    if isinstance(values, torch.Tensor):
        return values.clone()
    return [copies(each) for each in values] if isinstance(values, list) else values


def coarsest(arguments: list[Any]) -> str | None:
    tensors = [each for each in arguments if isinstance(each, torch.Tensor)]
    halves = [each.dtype for each in tensors if each.dtype in HALVES]
    narrow = [each.dtype for each in tensors if each.dtype in (torch.float32, torch.complex64)]
    return str((halves or narrow)[0])[6:] if halves or narrow else None


def compare_once(full: str, seed: int) -> str | None:
    """What differs, or None."""
    name, _, overload = full.partition(".")
    schema = SCHEMAS[full]
    maker = Maker(seed * 7919 + sum(map(ord, full)))
    positional, named = maker.call(arguments_of(schema))
    theirs = copies(positional) if "(a!)" in schema else positional
    try:
        expected = getattr(getattr(torch.ops.aten, name), overload or "default")(*theirs, **named)
    except ERRORS:
        return None
    mine = copies(positional) if "(a!)" in schema else positional
    keywords = {key: to_ours(value) for key, value in named.items()}
    try:
        got = tw._core.ops[name](*to_ours(mine), **keywords)
    except (NotImplementedError, *ERRORS):
        return None  # never wrong, but an error; test_missing counts them
    return difference(got, expected, coarsest([*positional, *named.values()]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("full", SCHEMAS)
def test_results_agree(full: str, seeds: int) -> None:
    def work() -> list[str]:
        torch.set_num_threads(1)
        found = ((seed, compare_once(full, seed)) for seed in range(seeds))
        return [f"seed {seed}: {problem}" for seed, problem in found if problem]

    assert in_child(work) in ([], None)
