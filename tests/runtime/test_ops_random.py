"""Random tensors are those of torch's CPU generator: the numbers of this file are what torch 2.13 gives for the seed.

They are the same on every number of threads. torch draws for a tensor whose rows do not lie one after another in the
order of its memory; here the order is always that of rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import RunPython

import threadwheel as torch
from threadwheel import Tensor

SEED = 5

DRAWS: dict[str, tuple[Callable[[], Tensor], list[float]]] = {
    "rand": (lambda: torch.rand((3,)), [0.8302519, 0.1261109, 0.9074697]),
    "rand_double": (lambda: torch.rand((2,), dtype=torch.float64), [0.642015, 0.2597579]),
    "rand_half": (lambda: torch.rand((3,), dtype=torch.float16), [0.8300781, 0.1260986, 0.9072266]),
    "rand_bfloat16": (lambda: torch.rand((3,), dtype=torch.bfloat16), [0.8320312, 0.1259766, 0.90625]),
    "rand_like": (lambda: torch.rand_like(torch.zeros((1, 2))), [0.8302519, 0.1261109]),
    "uniform": (lambda: torch.zeros((3,)).uniform_(-2.0, 5.0), [3.811763, -1.117224, 4.352288]),
    "randn_few": (lambda: torch.randn((3,)), [-0.4867808, -0.6038216, -0.5580962]),
    "randn_few_half": (lambda: torch.randn((2,), dtype=torch.float16), [-0.4868164, -0.6040039]),
    "randn_many": (
        lambda: torch.randn((20,)),
        [
            1.84233,
            0.5188872,
            -1.711921,
            -1.701379,
            -0.1296627,
            -0.6017656,
            0.1449986,
            -0.1498272,
            2.614577,
            -0.434023,
            0.3523355,
            -0.06455148,
            1.482932,
            0.4940381,
            0.2492188,
            1.747031,
            0.744777,
            0.03165689,
            -1.172414,
            -1.50694,
        ],
    ),
    "randn_many_double": (
        lambda: torch.randn((17,), dtype=torch.float64),
        [
            0.8235714,
            0.009228908,
            0.7631504,
            0.8166229,
            -1.40269,
            0.7037889,
            0.05095647,
            0.8372184,
            -0.3622047,
            0.9640546,
            1.500738,
            0.8666017,
            -0.4010887,
            -0.7198744,
            -0.2686318,
            -0.3955216,
            1.917235,
        ],
    ),
    "randn_many_bfloat16": (
        lambda: torch.randn((16,), dtype=torch.bfloat16),
        [
            1.84375,
            0.5195312,
            -1.710938,
            -1.703125,
            2.015625,
            -0.2695312,
            -0.1308594,
            -1.4375,
            0.390625,
            -0.0189209,
            -1.351562,
            -0.7304688,
            0.9882812,
            -0.4199219,
            -0.5859375,
            -0.78125,
        ],
    ),
    "normal": (lambda: torch.normal(1.0, 2.0, (3,)), [0.0264385, -0.2076432, -0.1161925]),
    "normal_means": (lambda: torch.normal(torch.zeros((3,)), 2.0), [-0.9735615, -1.207643, -1.116192]),
    "normal_deviations": (lambda: torch.normal(1.0, torch.ones((3,))), [0.5132192, 0.3961784, 0.4419038]),
    "normal_both": (lambda: torch.normal(torch.zeros((2,)), torch.ones((2,))), [-0.4867808, -0.6038216]),
    "randint": (lambda: torch.randint(0, 100, (4,)), [11, 14, 67, 85]),
    "randint_float": (lambda: torch.randint(7, (3,), dtype=torch.float32), [1, 5, 2]),
    "randint_narrow": (lambda: torch.randint(0, (1 << 28) - 1, (3,)), [148147046, 236996814, 250105852]),
    "randint_wide": (lambda: torch.randint(0, 1 << 28, (3,)), [236996814, 80864957, 220060790]),
    "randint_negative": (lambda: torch.randint(-5, 1 << 30, (3,)), [495281511, 715893083, 985067209]),
    "randint_like": (lambda: torch.randint_like(torch.zeros((3,)), 3, 9), [8, 3, 4]),
    "randperm": (lambda: torch.randperm(9), [8, 7, 4, 6, 5, 1, 2, 0, 3]),
    "random": (lambda: torch.zeros((3,)).random_(), [13929259, 2115776, 15224593]),
    "random_double": (
        lambda: torch.zeros((2,), dtype=torch.float64).random_(),
        [5782757089232648, 2339691299987398],
    ),
    "random_half": (lambda: torch.zeros((3,), dtype=torch.float16).random_(), [437, 1278, 1633]),
    "random_uint8": (lambda: torch.zeros((3,), dtype=torch.uint8).random_(), [99, 206, 239]),
    "random_int32": (lambda: torch.zeros((2,), dtype=torch.int32).random_(), [953453411, 236996814]),
    "random_bool": (lambda: torch.zeros((3,), dtype=torch.bool).random_(), [1, 0, 1]),
    "random_to": (lambda: torch.zeros((3,), dtype=torch.int32).random_(5), [1, 4, 2]),
    "random_between": (lambda: torch.zeros((3,)).random_(5, 9), [8, 7, 8]),
    "exponential": (lambda: torch.zeros((4,)).exponential_(2.0), [0.5136321, 0.150389, 0.2237905, 0.189265]),
    "bernoulli_": (lambda: torch.zeros((6,)).bernoulli_(0.3), [0, 1, 0, 0, 1, 0]),
    "bernoulli_p": (lambda: torch.bernoulli(torch.zeros((6,)), 0.5), [0, 1, 1, 1, 1, 0]),
    "bernoulli": (lambda: torch.bernoulli(torch.full((6,), 0.5)), [0, 1, 0, 0, 0, 1]),
    "bernoulli_double": (
        lambda: torch.bernoulli(torch.full((6,), 0.5, dtype=torch.float64)),
        [0, 1, 1, 1, 1, 0],
    ),
    "multinomial_one": (lambda: torch.multinomial(torch.tensor([0.1, 0.2, 0.3, 0.4]), 1), [3]),
    "multinomial": (lambda: torch.multinomial(torch.tensor([0.1, 0.2, 0.3, 0.4]), 3), [3, 2, 1]),
    "multinomial_again": (
        lambda: torch.multinomial(torch.tensor([[0.1, 0.2, 0.3, 0.4], [4.0, 3.0, 2.0, 1.0]]), 6, True),
        [3, 1, 2, 2, 1, 3, 1, 2, 2, 1, 0, 0],
    ),
    "dropout": (lambda: torch.dropout(torch.ones((9,)), 0.5, True), [0, 2, 2, 2, 2, 0, 0, 0, 0]),
    "dropout_all": (lambda: torch.dropout(torch.ones((2,)), 1.0, True), [0, 0]),
    "dropout_": (lambda: torch.dropout_(torch.ones((3,)), 0.5, True), [0, 2, 2]),
    "feature_dropout": (
        lambda: torch.feature_dropout(torch.ones((2, 3, 2)), 0.5, True),
        [0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0],
    ),
    "alpha_dropout": (
        lambda: torch.alpha_dropout(torch.ones((3,)), 0.5, True),
        [-0.7791939, 1.665599, 1.665599],
    ),
    "feature_alpha_dropout": (
        lambda: torch.feature_alpha_dropout(torch.ones((2, 3, 2)), 0.3, True),
        [*[1.315045] * 10, -1.059548, -1.059548],
    ),
    "native_dropout": (lambda: torch.native_dropout(torch.ones((6,)), 0.3, True)[0], [*[1 / 0.7] * 5, 0]),
    "native_dropout_mask": (lambda: torch.native_dropout(torch.ones((6,)), 0.3, True)[1], [1, 1, 1, 1, 1, 0]),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_gives_the_numbers_of_torch(name: str) -> None:
    draw, expected = DRAWS[name]
    for num_threads in (1, 2):
        torch.manual_seed(SEED)
        with torch.num_threads(num_threads):
            result = np.asarray(torch.to(draw(), torch.float64))
        np.testing.assert_allclose(result.ravel(), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("width", (2, 4))
def test_tensors_are_drawn_in_the_order_of_memory(width: int) -> None:
    torch.manual_seed(SEED)
    expected = torch.rand((3, 2)).numpy()
    torch.manual_seed(SEED)
    result = torch.zeros((3, width))[:, :: width // 2].t().uniform_()
    np.testing.assert_array_equal(result.numpy(), expected.T)


def test_a_seed_forgets_the_second_number_of_a_pair() -> None:
    torch.manual_seed(SEED)
    first = torch.randn((1,)).numpy()
    torch.manual_seed(SEED)
    np.testing.assert_array_equal(torch.randn((1,)).numpy(), first)


def test_distributions_have_their_moments() -> None:
    n = 40000
    for result, mean, deviation in (
        (torch.rand((n,)), 0.5, 12**-0.5),
        (torch.randn((n,)), 0.0, 1.0),
        (torch.zeros((n,)).exponential_(0.5), 2.0, 2.0),
        (torch.zeros((n,)).bernoulli_(0.25), 0.25, 0.433),
    ):
        numbers = result.numpy()
        assert abs(numbers.mean() - mean) < 6 * deviation / n**0.5
        assert abs(numbers.std() - deviation) < 0.05 * deviation


class Noisy(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.ones((2,))

    def forward(self, x: Tensor) -> Tensor:
        return torch.randn((2,)) * self.scale + torch.dropout(torch.ones((2,)), 0.5, True) + x


def test_a_frozen_program_draws_at_every_call() -> None:
    program = torch.jit.freeze(torch.jit.script(Noisy()))
    x = torch.zeros((2,))
    assert (program(x).numpy() != program(x).numpy()).all()


def seeded(x: Tensor) -> Tensor:
    torch.manual_seed(5)
    return torch.rand_like(x)


def test_a_program_sets_the_seed() -> None:
    program = torch.jit.script(seeded)
    for _ in range(2):
        np.testing.assert_allclose(program(torch.zeros((2,))).numpy(), DRAWS["rand"][1][:2], rtol=1e-6)


def test_a_process_begins_with_numbers_of_its_own(run_python: RunPython) -> None:
    code = "import threadwheel as torch; print(torch.randint(1 << 62, (1,)).item())"
    assert run_python(code).stdout != run_python(code).stdout


ERRORS: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: torch.rand((2,), dtype=torch.int64), NotImplementedError, "rand: unsupported dtype int64; supported are"),
    (lambda: torch.zeros((1,)).uniform_(2.0, 1.0), ValueError, "from is 2.000000 and to is 1.000000; from must not"),
    (lambda: torch.zeros((1,)).normal_(0.0, -1.0), ValueError, "normal_: std is -1.000000; expected 0 or more"),
    (lambda: torch.zeros((1,)).exponential_(0.0), ValueError, "exponential_: lambd is 0.000000; expected more than 0"),
    (lambda: torch.zeros((1,)).bernoulli_(2.0), ValueError, "bernoulli_: p is 2.000000; expected 0 to 1"),
    (lambda: torch.bernoulli(torch.full((1,), 2.0)), ValueError, "bernoulli_: p is 2.000000; expected 0 to 1"),
    (lambda: torch.randint(3, 3, (1,)), ValueError, "randint: the least number is 3 and the end 3; the end, which is"),
    (lambda: torch.randint(300, (1,), dtype=torch.uint8), ValueError, "randint: the value is 299.* does not hold"),
    (lambda: torch.randperm(-1), ValueError, "randperm: n is -1; expected 0 or more"),
    (lambda: torch.multinomial(torch.ones((1, 1, 1)), 1), ValueError, "multinomial: self .* expected 1 or 2 dimens"),
    (lambda: torch.multinomial(torch.ones((2,)), 3), ValueError, "multinomial: num_samples is 3 of 2 categories; "),
    (lambda: torch.multinomial(torch.zeros((2,)), 1), ValueError, "multinomial: a distribution has negative weights"),
    (lambda: torch.dropout(torch.ones((2,)), 2.0, True), ValueError, "dropout: p is 2.000000; expected 0 to 1"),
    (lambda: torch.feature_dropout(torch.ones((2,)), 0.5, True), ValueError, "feature_dropout: input has 1 dimensions"),
    (lambda: torch.rand((2,), layout=1), NotImplementedError, "rand: layout is 1; supported is 0, strided"),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_what_cannot_be_drawn_is_refused(call: Callable[[], object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_fork_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    torch.manual_seed(SEED)
    child = os.fork()
    if child == 0:
        (tmp_path / "numbers").write_bytes(torch.rand((3,)).numpy().tobytes())
        os._exit(0)
    os.waitpid(child, 0)
    np.testing.assert_array_equal(np.frombuffer((tmp_path / "numbers").read_bytes(), "f4"), torch.rand((3,)).numpy())
