"""jit.script: functions and modules compiled from their source do what Python does with them."""

# ruff: noqa: B905, C408, C416, F821, SIM102, SIM210, UP031  (programs are written so)
from __future__ import annotations

import enum
import functools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pytest

import threadwheel as torch
from threadwheel import Tensor

SCALE = 3
NAMES = ["a", "b"]


def same(function: Callable[..., Any], *cases: tuple[Any, ...]) -> None:
    """The compiled function gives what the function gives."""
    compiled = torch.jit.script(function)
    for case in cases:
        expected = function(*case)
        got = compiled(*case)
        assert got == expected and type(got) is type(expected), f"{case}: got {got}, expected {expected}"


def array(*values: Any) -> Any:
    return np.array(values, dtype=np.float32)


def equal(tensor: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(tensor), np.asarray(expected), rtol=1e-6)


# --- control flow: the same in Python ---------------------------------------------------------------


def test_early_returns_at_every_depth() -> None:
    def sign(n: int) -> int:
        if n > 0:
            return 1
        if n == 0:
            return 0
        return -1

    def classify(n: int, b: bool) -> str:
        if n > 10:
            if b:
                return "large and set"
            n -= 10
        elif n < 0:
            return "negative"
        n *= 2
        if n > 10:
            if not b:
                return "double is large"
        return str(n)

    same(sign, (5,), (0,), (-5,))
    same(classify, *((n, b) for n in (-1, 0, 3, 8, 11, 12, 30) for b in (False, True)))


def test_return_break_and_continue_inside_loops() -> None:
    def find(values: list[int], wanted: int) -> int:
        for i, value in enumerate(values):
            if value == wanted:
                return i
        return -1

    def collatz(n: int, limit: int) -> int:
        steps = 0
        while True:
            if n == 1:
                return steps
            if steps == limit:
                break
            if n % 2 == 0:
                n = n // 2
                steps += 1
                continue
            n = 3 * n + 1
            steps += 1
        return -n

    def countdown(n: int) -> int:
        rounds = 0
        while n > 0:
            n -= 1
            if n % 2 == 0:
                continue
            rounds += 1
            continue
        return rounds

    def first_pair(values: list[int], total: int) -> tuple[int, int]:
        for i in range(len(values)):
            for j in range(i + 1, len(values)):
                if values[i] + values[j] == total:
                    return i, j
                if values[j] > total:
                    break
            if values[i] > total:
                continue
        return -1, -1

    def skip_and_stop(values: list[int]) -> tuple[int, int]:
        seen = 0
        total = 0
        for value in values:
            seen += 1
            if value < 0:
                break
            if value % 2 == 1:
                continue
            total += value
        return seen, total

    same(find, ([3, 4, 5], 4), ([3, 4, 5], 6), ([], 1))
    same(collatz, (1, 9), (7, 100), (7, 3), (27, 200))
    same(countdown, (0,), (7,))
    same(first_pair, ([1, 2, 9, 3], 5), ([1, 2], 7), ([], 0))
    same(skip_and_stop, ([1, 2, 3, 4],), ([2, -1, 4],), ([],))


def test_a_loop_that_only_returns_needs_no_return_after_it() -> None:
    def power(n: int) -> int:
        value = 1
        while True:
            value *= 2
            if value > n:
                return value

    same(power, (0,), (100,))


def test_statements_after_a_return_are_not_compiled() -> None:
    def done(n: int) -> int:
        return n
        return undefined_name

    same(done, (4,))


def test_loops_over_everything() -> None:
    def gather(values: list[int], text: str, table: dict[str, int]) -> list[str]:
        out: list[str] = []
        for i, (a, b) in enumerate(zip(values, values), 1):
            out.append(f"{i}:{a}{b}")
        for letter in text:
            out.append(letter)
        for key in table:
            out.append(key)
        for key, number in table.items():
            out.append(f"{key}={number}")
        for step in range(10, 0, -3):
            out.append(str(step))
        for item in (1, "two", 3.5):
            out.append(str(item))
        return out

    same(gather, ([4, 5], "xyz", {"k": 1, "l": 2}), ([], "", {}))


def test_loops_over_tensors() -> None:
    @torch.jit.script
    def total(x: Tensor) -> int:
        n = 0
        for row in x:
            n += int(row.sum())
        return n

    assert total(array([1, 2], [3, 4])) == 10


def test_comprehensions() -> None:
    def make(values: list[int], words: list[str]) -> tuple[list[int], dict[str, int], list[list[int]]]:
        return (
            [value * 2 for value in values if value > 1],
            {word: len(word) for word in words},
            [[j for j in range(i)] for i in values],
        )

    same(make, ([1, 2, 3], ["a", "bcd"]), ([], []))


def test_a_generator_as_the_only_argument() -> None:
    def total(values: list[int]) -> int:
        return sum(value * 2 for value in values if value > 1)

    same(total, ([1, 2, 3],), ([],))


def test_conditions_of_all_kinds() -> None:
    def judge(n: int, values: list[int], text: str) -> list[bool]:
        return [
            1 < n < 5,
            n == 1 or (n > 2 and not values),
            n in values,
            n not in values,
            "a" in text,
            True if values else False,
            n != 3,
        ]

    same(judge, (3, [], "bar"), (1, [1], ""), (9, [3], "x"))


def test_unpacking_and_swapping() -> None:
    def fibonacci(n: int) -> int:
        a, b = 0, 1
        for _ in range(n):
            a, b = b, a + b
        return a

    def nested(pair: tuple[tuple[int, str], float]) -> str:
        (number, text), real = pair
        first = second = number
        return text + str(first + second) + str(real)

    same(fibonacci, (0,), (10,))
    same(nested, (((1, "x"), 2.5),))


# --- values -----------------------------------------------------------------------------------------


def test_numbers() -> None:
    def compute(n: int, f: float) -> list[float]:
        return [
            n / 2,
            n // 2 * 1.0,
            -7 // 2 * 1.0,
            -7 % 3 * 1.0,
            f**2,
            abs(-f),
            math.sqrt(f),
            math.floor(f) * 1.0,
            math.pi,
        ]

    def bits(n: int) -> list[int]:
        return [n << 1, n >> 1, n & 3, n | 8, n ^ 5, min(n, 3), max([n, 1]), divmod(n, 2)[1], int("12"), ord("a")]

    same(compute, (7, 2.5), (-3, 9.0))
    same(bits, (6,), (1,))


def test_strings() -> None:
    def text(s: str, n: int) -> list[str]:
        return [
            s[1:3] + s[-1],
            s.upper().strip(),
            ",".join([s, s]),
            f"{n} of {s} {{}}",
            "%d-%s" % (n, s),
            s.replace("b", "c").zfill(6),
            str(len(s)) + str(n > 2),
        ]

    same(text, ("abcd", 3))


def test_what_stands_in_the_braces_of_f_strings() -> None:
    def text(values: list[int], match: str) -> list[str]:
        return [
            f"{values[1:2]}",
            f"{ len(values) }\x7b{match}}}" rf"\d{match}" u"!",  # noqa: UP025
            f"""{
                values[0]
            }""",
        ]  # fmt: skip

    same(text, ([1, 2, 3], "m"))


def test_numbers_of_all_bases() -> None:
    def numbers() -> list[int]:
        return [0b101, 0O17, 0xFF_FF, 0X1f, 1_000]  # fmt: skip

    same(numbers, ())


def test_lists_and_dicts() -> None:
    def change(values: list[int]) -> list[int]:
        values = values.copy()
        values.append(3)
        values.extend([1])
        values.insert(0, 2)
        values[1] += 5
        values += [4]
        del values[0]
        values.sort()
        return values[::-1] + [values.pop()] * 2

    def count(words: list[str]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for word in words:
            if word in counts:
                counts[word] += 1
            else:
                counts[word] = 1
        return counts

    same(change, ([7, 8],))
    same(count, (["a", "b", "a"],))


def test_globals_closures_and_other_functions() -> None:
    offset = 10

    def helper(n: int, times: int = 2) -> int:
        return n * times

    def use(n: int) -> int:
        values = NAMES
        values.append("c")
        return helper(n) + helper(n, times=SCALE) + offset + len(values)

    assert torch.jit.script(use)(4) == 4 * 2 + 4 * SCALE + offset + 3
    assert torch.jit.script(use)(4) == 33 and NAMES == ["a", "b"]  # the program's list is its own


def test_a_function_without_annotations_takes_tensors() -> None:
    @torch.jit.script
    def double(x, scale: float = 2):
        return x * scale

    equal(double(array(1, 2)), [2, 4])
    equal(double(array(1, 2), 3.0), [3, 6])


# --- Optional ---------------------------------------------------------------------------------------


def test_optionals_are_refined() -> None:
    def first(n: int | None) -> int:
        if n is None:
            return -1
        return n + 1

    def second(n: int | None, m: int | None = None) -> int:
        if n is not None and n > 1:
            return n
        if not (m is None or m < 0):
            return m
        return n if n is not None else 0

    def third(n: int | None) -> int:
        assert n is not None, "n is needed"
        return n * 2

    def fourth(values: list[int]) -> int:
        best: int | None = None
        for value in values:
            if best is None or value > best:
                best = value
        return best if best is not None else -1

    same(first, (None,), (3,))
    same(second, (None,), (None, 5), (0, 7), (4, None), (1, None))
    same(third, (4,))
    same(fourth, ([],), ([3, 9, 2],))
    with pytest.raises(AssertionError, match="n is needed"):
        torch.jit.script(third)(None)


def test_what_types_decide_is_not_compiled() -> None:
    class Linear(torch.nn.Module):
        def __init__(self, weight: Any, bias: Any) -> None:
            super().__init__()
            self.weight = weight
            self.bias = bias

        def forward(self, x: Tensor) -> Tensor:
            y = torch.mm(x, self.weight)
            if self.bias is not None:
                y = y + self.bias
            if not torch.jit.is_scripting():
                return undefined_name(y)
            return y

    x, weight = array([1, 2]), array([1, 2], [3, 4])
    equal(torch.jit.script(Linear(weight, None))(x), x @ weight)
    equal(torch.jit.script(Linear(weight, array(1, 1)))(x), x @ weight + 1)


def test_unions_and_any_are_refined_by_isinstance() -> None:
    def describe(value: int | str) -> str:
        if isinstance(value, int):
            return "int " + str(value + 1)
        return "str"

    same(describe, (3,), ("x",))


# --- tensors ----------------------------------------------------------------------------------------


def test_operators_and_attributes_of_tensors() -> None:
    x = array([1, 2], [3, 4])

    @torch.jit.script
    def operate(x: Tensor) -> list[Tensor]:
        return [
            x + 1,
            1 + x,
            2 - x,
            2 / x,
            2**x,
            x // 2,
            x % 2,
            -x,
            x @ x.T,
            x.relu(),
            x.view(-1),
            x.sum(0),
            x.permute(1, 0),
        ]

    expected = [x + 1, 1 + x, 2 - x, 2 / x, 2**x, x // 2, x % 2, -x, x @ x.T, x, x.ravel(), x.sum(0), x.T]
    for got, wanted in zip(operate(x), expected, strict=True):
        equal(got, wanted)

    @torch.jit.script
    def ask(x: Tensor) -> tuple[int, int, bool, bool]:
        rows, columns = x.shape
        return rows * 10 + columns, x.ndim + x.numel(), x.dtype == torch.float32, bool((x > 0).all())

    assert ask(x) == (22, 6, True, True)


INDICES: list[tuple[str, Callable[[Any], Any]]] = [
    ("x[0]", lambda x: x[0]),
    ("x[-1, 1:]", lambda x: x[-1, 1:]),
    ("x[:, None, ..., 0]", lambda x: x[:, None, ..., 0]),
    ("x[..., 1, :]", lambda x: x[..., 1, :]),
    ("x[..., 0:2, None]", lambda x: x[..., 0:2, None]),
    ("x[::2, 1]", lambda x: x[::2, 1]),
    ("x[x > 3]", lambda x: x[x > 3]),
    ("x[[0, 1]]", lambda x: x[[0, 1]]),
    ("x[:, [2, 0], 1]", lambda x: x[:, :, 1][:, [2, 0]]),
    ("x[None]", lambda x: x[None]),
]


@pytest.mark.parametrize(("index", "expected"), INDICES, ids=[index for index, _ in INDICES])
def test_indices_of_tensors(index: str, expected: Callable[[Any], Any], written: Callable[[str], Any]) -> None:
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    equal(written(f"def f(x: Tensor) -> Tensor:\n    return {index}\n")(x), expected(x))


def test_assignments_to_parts_of_tensors() -> None:
    @torch.jit.script
    def change(x: Tensor) -> Tensor:
        x = x.clone()
        x[0, 1:] = 30.0
        x[1] += 1
        x[x > 20] = 0
        x *= 2
        return x

    equal(change(array([1, 2, 3], [4, 5, 6])), [[2, 0, 0], [10, 12, 14]])


def test_annotations_in_all_spellings(written: Callable[[str], Any]) -> None:
    compiled = written(
        """def f(a: List[int], b: "Dict[str, List[int]]", c: Optional[Tuple[int, str]] = None, d: "int | None" = None) -> Any:
    e: 'List[Tuple[str, int]]' = []
    g: Union[int, str] = 1
    for key, value in b.items():
        e.append((key, value[0] + a[0]))
    if c is not None and d is not None:
        return str(c[0] + d)
    return e
"""
    )
    assert compiled([1], {"x": [2]}) == [("x", 3)]
    assert compiled([1], {}, (1, "y"), 4) == "5"


# --- classes ----------------------------------------------------------------------------------------


class Point(NamedTuple):
    x: Tensor
    n: int


class Color(enum.Enum):
    RED = 1
    GREEN = 2


def test_named_tuples_and_enums() -> None:
    @torch.jit.script
    def make(x: Tensor, n: int) -> Point:
        point = Point(x, n=n)
        return Point(point.x + point.n, point[1])

    made = make(array(1, 2), 3)
    equal(made.x, [4, 5])
    assert made.n == 3 and type(made).__name__ == "Point"

    @torch.jit.script
    def name(first: bool) -> str:
        color = Color.RED if first else Color.GREEN
        return color.name + str(color.value) + str(color == Color.RED)

    assert (name(True), name(False)) == ("RED1True", "GREEN2False")


class Block(torch.nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.scaled(x)

    def scaled(self, x: Tensor) -> Tensor:
        return x * self.scale

    def broken(self, x: Tensor) -> Tensor:
        return undefined_name(x)


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = Block(2.0)
        self.rest = torch.nn.ModuleList([Block(3.0), Block(5.0)])
        self.chain = torch.nn.Sequential(Block(1.0), Block(-1.0))
        self.names = ["p", "q"]
        self.cache = object()  # Python's alone

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.rest:
            x = block(x)
        return self.chain(x)


def test_modules_with_modules_inside() -> None:
    net = Net()
    compiled = torch.jit.script(net)
    equal(compiled(array(1, 2)), [-30, -60])
    equal(net(array(1, 2)), [-30, -60])
    assert compiled.first.calls == 1 and net.first.calls == 1  # each has its own state
    equal(compiled.first.scaled(array(1)), [2])
    assert compiled.training is True


def test_methods_that_nothing_calls_are_compiled_when_called() -> None:
    compiled = torch.jit.script(Block(2.0))
    with pytest.raises(torch.ArgumentError, match="'undefined_name' is not defined"):
        compiled.broken(array(1))


class Chain(torch.nn.Module):
    """Methods without annotations: each needs the next one's graph to know what it gives."""

    def first(self, n: int):
        return self.second(n)

    def second(self, n: int):
        return self.third(n)

    def third(self, n: int):
        return n * 2


def test_threads_that_compile_from_either_end_do_not_wait_for_each_other() -> None:
    with ThreadPoolExecutor(3) as pool:
        for _ in range(20):
            chain = torch.jit.script(Chain())
            methods = [chain.first, chain.third, chain.second]
            assert list(pool.map(lambda method: method(3), methods, timeout=60)) == [6, 6, 6]


def test_weights_are_shared_with_the_module() -> None:
    class Weighted(torch.nn.Module):
        def __init__(self, weight: Any) -> None:
            super().__init__()
            self.weight = weight

        def forward(self, x: Tensor) -> Tensor:
            return x * self.weight

    weight = array(2)
    compiled = torch.jit.script(Weighted(weight))
    weight[:] = 5
    equal(compiled(array(1)), [5])


def twice(x: Tensor) -> Tensor:
    return x * 2


class Configured(torch.nn.Module):
    """Attributes that are no values of the compiled module."""

    factor = 3

    def __init__(self) -> None:
        super().__init__()
        self.dtype = torch.float64
        self.device = torch.device("cpu")
        self.before = twice
        self.after = torch.relu
        self.blocks = [Block(2.0), Block(3.0)]
        self.table = {"a": Block(2.0)}
        self.tags = {1, 2}
        self.cache = object()

    def forward(self, x: Tensor) -> Tensor:
        if hasattr(self, "dtype") and not hasattr(self, "cache"):
            x = self.after(self.before(x)).to(getattr(self, "dtype"))  # noqa: B009
        return self.shifted(x.to(self.device) * self.factor)

    @staticmethod
    def shifted(x: Tensor) -> Tensor:
        return x + 1

    def use_blocks(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x

    def use_table(self, x: Tensor) -> Tensor:
        return self.table["a"](x)

    def use_tags(self) -> bool:
        return 1 in self.tags

    def use_cache(self) -> bool:
        return self.cache is None

    def set_dtype(self) -> None:
        self.dtype = 6

    def use_nothing(self) -> int:
        return self.nothing

    def call_nothing(self) -> int:
        return self.nothing()


def test_modules_use_their_dtypes_functions_and_class_attributes() -> None:
    compiled = torch.jit.script(Configured())
    result = compiled(array(-1, 2))
    assert result.dtype == torch.float64
    equal(result, [1, 13])
    equal(torch.jit.freeze(compiled)(array(-1, 2)), [1, 13])


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        ("use_blocks", "'blocks' is a list of modules, which programs cannot use; .* or use nn.ModuleList"),
        ("use_table", "'table' is a dict of modules, which programs cannot use; make each an attribute"),
        ("use_tags", "'tags' is a set, which programs cannot use; supported are"),
        ("use_cache", "'cache' is a object, which programs cannot use; supported are"),
        ("set_dtype", ".*Configured has no attribute 'dtype' that could be set"),
        ("use_nothing", "Configured has no attribute 'nothing'"),
        ("call_nothing", "Configured has no attribute 'nothing'"),
    ],
)
def test_attributes_that_programs_cannot_hold_are_refused_where_they_are_used(method: str, problem: str) -> None:
    compiled = torch.jit.script(Configured())
    arguments = [array(1)] if method in ("use_blocks", "use_table") else []
    with pytest.raises(torch.ArgumentError, match=rf"test_jit_script.py:\d+:\d+: {problem}"):
        getattr(compiled, method)(*arguments)


# --- errors -----------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path: Any) -> Callable[[str], Any]:
    """Writes a module with the function f and compiles it."""

    def write(text: str) -> Any:
        import importlib.util

        path = tmp_path / "written.py"
        path.write_text("import threadwheel as torch\nfrom threadwheel import Tensor\nfrom typing import *\n" + text)
        spec = importlib.util.spec_from_file_location("written", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return torch.jit.script(module.f)

    return write


REFUSED: list[tuple[str, type[Exception], str]] = [
    ("def f(x):\n    return y\n", ValueError, r"written.py:5:12: 'y' is not defined"),
    ("def f(b: bool):\n    if b:\n        y = 1\n    return y\n", ValueError, "'y' has no value when the condition"),
    ("def f(b: bool):\n    y = 1 if b else 'a'\n    return y\n", TypeError, "int on one way and str on the other"),
    (
        "def f(b: bool):\n    if b:\n        return 1\n    return 'a'\n",
        TypeError,
        "what is returned is int in one branch",
    ),
    ("def f(b: bool) -> int:\n    if b:\n        return 1\n", TypeError, "end can be reached without a return"),
    ("def f(x: Tensor) -> int:\n    return x.foo()\n", TypeError, "aten::foo: this op is not implemented"),
    ("def f(x: Tensor):\n    return x.foo\n", ValueError, "a Tensor has no attribute 'foo'"),
    (
        "def f(x):\n    try:\n        return x\n    except Exception:\n        return x\n",
        NotImplementedError,
        "'try' is not",
    ),
    (
        "def f(x):\n    g = lambda y: y\n    return g(x)\n",
        NotImplementedError,
        "'lambda' is not supported; write a function",
    ),
    ("def f(o: Optional[int]):\n    if o:\n        return 1\n    return 2\n", TypeError, "test it with 'is None'"),
    ("def f(n: int):\n    for i in n:\n        pass\n", TypeError, "a int cannot be gone through"),
    (
        "def f(n: int):\n    for i in (1, 2):\n        break\n",
        NotImplementedError,
        "break and continue are not supported in a loop",
    ),
    ("def f():\n    y = None\n    for i in range(3):\n        y = i\n    return y\n", TypeError, "annotate it where"),
    ("def f():\n    for i in range(3):\n        pass\n    return i\n", ValueError, "'i' is the variable of a loop"),
    ("def f():\n    return f'{1:.2f}'\n", NotImplementedError, "a format after ':' in an f-string"),
    ("def f(n: int):\n    return f'{n:\"^{n}}'\n", NotImplementedError, "a format after ':' in an f-string"),
    ("def f(x):\n    return f'{x=}'\n", NotImplementedError, r"written.py:5:16: '=' in an f-string is not supported"),
    ("def f(x):\n    return f'{x!r}'\n", NotImplementedError, r"written.py:5:16: '!' in an f-string is not supported"),
    (
        "def f(x):\n    return f'\\n{{{ foo }'\n",
        ValueError,
        r"written.py:5:20: 'foo' is not defined\n        return f'.*\n +~~~ <",
    ),
    ("def f(x: Tensor):\n    return f'''\n{x.nosuch}'''\n", ValueError, r"written.py:6:2: a Tensor has no attribute"),
    ("def f(x):\n    yield x\n", NotImplementedError, "'yield' is not supported; return a list"),
    (
        "def f(n: int):\n    match n:\n        case 1:\n            return 2\n    return 3\n",
        NotImplementedError,
        "'match' is not supported; use if and elif",
    ),
    (
        "def f(n: int):\n    if (m := n):\n        return m\n    return n\n",
        NotImplementedError,
        "':=' is not supported",
    ),
    ("def f(x):\n    return b'a'\n", NotImplementedError, "bytes are not supported; use a str"),
    ("def f(x, /, y):\n    return x\n", NotImplementedError, "'/' in a parameter list is not supported"),
    ("def f(x):\n    return 0xFFFFFFFFFFFFFFFF\n", ValueError, "this number does not fit in 64 bits"),
    (
        "def f(x: Tensor):\n    return (1, 'a')[x.dim()]\n",
        TypeError,
        r"elements of this Tuple\[int, str\] are of different types; expected an index that is a constant int",
    ),
    ("def f(n: int):\n    raise n\n", TypeError, "only exceptions can be raised"),
    ("class C: pass\ndef f():\n    return C()\n", ValueError, "'C' is a class, which programs cannot use"),
    ("def f(x: 'Thing'):\n    return x\n", ValueError, "'Thing' is not defined"),
]


@pytest.mark.parametrize(("text", "error", "problem"), REFUSED, ids=[problem[:40] for _, _, problem in REFUSED])
def test_what_is_not_in_the_language_is_refused_with_its_line(
    text: str, error: type[Exception], problem: str, written: Callable[[str], Any]
) -> None:
    with pytest.raises(error, match=problem) as caught:
        written(text)
    message = str(caught.value)
    assert "written.py:" in message and "<--- here" in message


def test_errors_of_a_run_have_their_type_and_place() -> None:
    @torch.jit.script
    def fail(n: int) -> int:
        if n > 1:
            raise ValueError(f"bad {n}")
        assert n == 1, "not one"
        return n

    assert fail(1) == 1
    with pytest.raises(ValueError, match="bad 3") as caught:
        fail(3)
    assert "test_jit_script.py:" in str(caught.value) and "raise ValueError" in str(caught.value)
    with pytest.raises(AssertionError, match="not one"):
        fail(0)


def test_errors_with_half_a_character_keep_their_type() -> None:
    @torch.jit.script
    def fail(name: str) -> int:
        raise KeyError(name[0:1])

    with pytest.raises(KeyError, match=r"\\xc3"):
        fail("é")


def test_errors_of_ops_have_the_types_that_they_have_outside() -> None:
    @torch.jit.script
    def divide(n: int, by: int) -> int:
        return n // by

    @torch.jit.script
    def look(items: list[int], names: dict[str, int], i: int, name: str) -> int:
        return items[i] + names[name]

    @torch.jit.script
    def whole(x: float) -> int:
        return int(x)

    @torch.jit.script
    def total(x: Tensor, dim: int) -> Tensor:
        return torch.sum(x, dim)

    @torch.jit.script
    def forked(x: Tensor, dim: int) -> Tensor:
        return torch.jit.wait(torch.jit.fork(total, x, dim))

    @torch.jit.script
    def viewed(x: Tensor) -> Tensor:
        return x.view(3)

    for error, problem, call in (
        (ZeroDivisionError, "division by zero", lambda: divide(1, 0)),
        (IndexError, "list index out of range", lambda: look([1], {"a": 1}, 1, "a")),
        (KeyError, "b", lambda: look([1], {"a": 1}, 0, "b")),
        (OverflowError, "does not fit in 64 bits", lambda: whole(1e30)),
        (IndexError, "dim is 2 for a tensor of 1 dimensions", lambda: forked(torch.ones(2), 2)),
        (torch.ArgumentError, "view: ", lambda: viewed(torch.ones(2))),
    ):
        with pytest.raises(error, match=problem) as caught:
            call()
        assert type(caught.value) is error
        assert "test_jit_script.py:" in str(caught.value)


def test_wrong_arguments_name_the_parameter() -> None:
    @torch.jit.script
    def add(n: int, text: str = "x") -> str:
        return text + str(n)

    assert add(n=3) == "x3"
    for call, problem in [
        (lambda: add("a"), "argument 'n' must be int, not str"),
        (lambda: add(), "argument 'n' is missing"),
        (lambda: add(1, "b", 2), "takes 2 arguments, got 3"),
    ]:
        with pytest.raises(TypeError, match=problem):
            call()


def test_script_refuses_what_it_cannot_compile() -> None:
    with pytest.raises(TypeError, match=r"got a int; expected a function, a class or an nn\.Module"):
        torch.jit.script(3)
    with pytest.raises(TypeError, match="got a partial; expected a function"):
        torch.jit.script(functools.partial(same, 1))
    with pytest.raises(torch.ArgumentError, match="Python has no source of it"):
        torch.jit.script(len)


def test_wrong_objects_are_named() -> None:
    for given, name in ((Block(1.0), "Block"), ("model.pt", "str")):
        with pytest.raises(TypeError, match=f"jit.freeze: got a {name}; expected what jit.script or jit.load made"):
            torch.jit.freeze(given)
    with pytest.raises(TypeError, match=r"jit\.wait: got a int; expected a Future"):
        torch.jit.wait(3)


class Counter:
    def __init__(self, start: int) -> None:
        self.value = start
        self.seen: list[int] = []

    def add(self, n: int) -> Counter:
        self.value += n
        self.seen.append(n)
        return self

    def __eq__(self, other: Counter) -> bool:
        return self.value == other.value

    def __add__(self, other: Counter) -> int:
        return self.value + other.value


def test_programs_make_objects_of_classes() -> None:
    def count(n: int) -> tuple[int, list[int], bool, int]:
        counter = Counter(n)
        counter.add(2).add(3)
        counter.value += 1
        return counter.value, counter.seen, counter == Counter(n), counter + Counter(10)

    assert torch.jit.script(Counter) is Counter
    same(count, (1,), (-6,))


def test_what_iterates_and_results_with_names() -> None:
    @torch.jit.script
    def names() -> list[str]:
        return [color.name for color in Color]

    def make(n: int) -> dict[str, int]:
        return dict(a=n, b=2)

    @torch.jit.script
    def greatest(x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.max(x, dim=1).values, x.sort().indices

    assert names() == ["RED", "GREEN"]
    same(make, (1,))
    values, indices = greatest(array([1, 5], [3, 2]))
    equal(values, [5, 3])
    equal(indices, [[0, 1], [1, 0]])


def test_programs_print(capfd: pytest.CaptureFixture[str]) -> None:
    @torch.jit.script
    def show(n: int) -> None:
        print("n is", n, [1, 2], None)

    show(3)
    assert capfd.readouterr().out == "n is 3 [1, 2] None\n"


def test_a_bool_is_an_int_where_a_number_is_expected() -> None:
    """As torch has it in programs, unlike in Python; written by torch 2.13."""

    def program(x: bool) -> tuple[Tensor, Tensor, Tensor]:
        return torch.full([2], x), torch.where(torch.tensor([True, False]), True, False), torch.tensor(x)

    filled, chosen, made = torch.jit.script(program)(True)
    assert (filled.dtype, filled.tolist()) == (torch.int64, [1, 1])
    assert (chosen.dtype, chosen.tolist()) == (torch.int64, [1, 0])
    assert (made.dtype, made.item()) == (torch.bool, True)


def kind_of(value: int | str) -> str:
    if isinstance(value, int):
        return "int " + str(value + 1)
    else:
        return value + "!"


def kinds_of_constants() -> list[str]:
    return [kind_of(3), kind_of("text")]


def test_branches_that_a_constant_never_takes_are_not_computed() -> None:
    """Where the other type was tested for, the constant is taken for what it is not."""
    assert torch.jit.script(kinds_of_constants)() == ["int 4", "text!"]


def described(value: int | str | float | None) -> str:
    if isinstance(value, (int, float)):
        if isinstance(value, float):
            return "half " + str(value / 2)
        return "twice " + str(value * 2)
    if value is None:
        return "none"
    return value.upper()


def length(value: int | list[int] | list[str]) -> int:
    return len(value) if isinstance(value, list) and isinstance(value, list[int]) else -1


def is_sequence(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def test_tests_for_lists_and_tuples_need_no_elements() -> None:
    assert [torch.jit.script(length)(value) for value in (4, [1, 2], ["a"])] == [-1, 2, -1]
    program = torch.jit.script(is_sequence)
    assert [program(value) for value in ([1], (1, "a"), [], 1, "a", {1: 2})] == [True, True, True, False, False, False]


def test_tests_of_types_narrow_both_branches() -> None:
    program = torch.jit.script(described)
    assert [program(value) for value in (4, 1.0, None, "a")] == ["twice 8", "half 0.5", "none", "A"]
