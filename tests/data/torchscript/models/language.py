"""What the scripting language can say: containers, classes, enums, control flow, text, forks."""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

import torch
from case import Case, Makers, scripted
from torch import Tensor, nn


class Color(Enum):
    RED = 1
    GREEN = 2


class Mode(Enum):
    FAST = "fast"
    EXACT = "exact"


class Point(NamedTuple):
    x: Tensor
    name: str = "origin"
    weight: float = 2.0


@torch.jit.script
@dataclass
class Box:
    width: float
    height: float
    label: str = "box"

    def area(self) -> float:
        return self.width * self.height


@torch.jit.script
class Interval:
    """A class with operators."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(self.low + other.low, self.high + other.high)

    def __lt__(self, other: "Interval") -> bool:
        return self.low < other.low

    def __eq__(self, other: "Interval") -> bool:
        return self.low == other.low and self.high == other.high

    def __len__(self) -> int:
        return self.high - self.low

    def __getitem__(self, i: int) -> int:
        return self.low + i

    def __contains__(self, value: int) -> bool:
        return self.low <= value < self.high

    def __neg__(self) -> "Interval":
        return Interval(-self.high, -self.low)

    def __str__(self) -> str:
        return f"[{self.low}, {self.high})"


@torch.jit.script
class Guard:
    """A context manager that counts."""

    def __init__(self) -> None:
        self.entered = 0

    def __enter__(self) -> int:
        self.entered += 1
        return self.entered

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        self.entered += 10


@torch.jit.script
class Tree:
    def __init__(self, value: int) -> None:
        self.value = value
        self.children: list[Tensor] = []
        self.table: dict[str, list[int]] = {}

    def put(self, key: str, value: int) -> "Tree":
        if key not in self.table:
            self.table[key] = torch.jit.annotate(list[int], [])
        self.table[key].append(value)
        return self


class Classes(nn.Module):
    def forward(self, x: Tensor, n: int) -> tuple[float, list[int], list[str], int, bool, dict[str, list[int]]]:
        box = Box(2.0, float(n))
        parts = [Interval(5, 9), Interval(-2, n), Interval(1, 2)]
        if parts[1] < parts[0]:
            parts[0], parts[1] = parts[1], parts[0]
        joined = parts[0] + -parts[2]
        numbers = [len(joined), joined[1], parts[0].low, joined.high]
        guard = Guard()
        with guard as inside:
            numbers.append(inside)
        tree = Tree(3).put("a", 1).put("b", 2).put("a", n)
        tree.children.append(x)
        texts = [box.label, str(joined.low), str(tree.children[0].size(0)), "%s-%d" % (box.label, n)]
        same = parts[2] == Interval(1, 2) and 0 in joined and 99 not in joined
        return box.area(), numbers, texts, guard.entered, same, tree.table


class Enums(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.color = Color.GREEN
        self.mode: Final[Mode] = Mode.EXACT

    def forward(self, x: Tensor) -> tuple[Tensor, list[str], list[int]]:
        names: list[str] = []
        values: list[int] = []
        for color in Color:
            names.append(color.name)
            values.append(color.value)
        if self.mode == Mode.EXACT and self.color is not Color.RED:
            x = x * self.color.value
        names.append(self.mode.value)
        return x, names, values


class Containers(nn.Module):
    def forward(
        self, x: Tensor, words: list[str], table: dict[str, Tensor]
    ) -> tuple[list[int], list[str], dict[int, str], list[tuple[int, float]], list[Tensor], dict[str, Tensor]]:
        numbers = [3, 1, 2]
        numbers.append(7)
        numbers.extend([9, 4])
        numbers.insert(1, 5)
        numbers.remove(9)
        last = numbers.pop()
        first = numbers.pop(0)
        numbers += [last, first, numbers.index(5), numbers.count(1)]
        numbers = sorted(numbers) + numbers[::-1][1:4] + numbers[-2:] + [0] * 2
        del numbers[0]
        counts: dict[str, int] = {}
        for word in words:
            counts[word] = counts.get(word, 0) + 1
        names = [f"{key}:{value}" for key, value in counts.items()]
        inverse = {len(word): word for word in words}
        inverse.update({-1: "none"})
        popped = inverse.pop(-1)
        names.append(popped + str("b" in counts) + str(len(inverse)))
        pairs = [(i, float(n) / 2) for i, n in enumerate(numbers[:3])]
        nested: list[list[int]] = [[i * j for j in range(i)] for i in range(4)]
        flat: list[int] = []
        for row in nested:
            flat += row
        numbers += flat
        tensors = [table[key] + x for key in sorted(table.keys())]
        table = dict(table)
        table["sum"] = torch.stack(tensors).sum(0)
        missing = table.get("missing")
        if missing is None:
            del table["a"]
        return numbers, names, inverse, pairs, [t.mean() for t in tensors], table


class Text(nn.Module):
    def forward(self, text: str, n: int, f: float) -> tuple[list[str], list[int], list[bool]]:
        out = [text.upper(), text.lower().capitalize(), text.strip(), text.replace("a", "oo"), text[1:4], text[-1]]
        out += (
            text.split() + text.split("a") + [" ".join(["x", "y"]), text.rjust(12, "."), text.ljust(12), text.zfill(12)]
        )
        out += [f"{n} and {f}", f"{n} {f}", "%d|%s" % (n, text), str(n) + str(f), text[::-1]]
        reversed_text = ""
        for letter in text:
            reversed_text = letter + reversed_text
        out += [reversed_text, chr(65 + n), hex(n), bin(n), oct(n), text.title(), text.swapcase(), text.center(11, "*")]
        out += list(text.partition("b")) + text.splitlines() + [text.lstrip(" a"), text.rstrip("c ")]
        found = [text.find("b"), text.rfind("a"), text.count("a"), ord("a"), int("12"), len(text), text.index("c")]
        checks = [
            "ab" in text,
            text.startswith(" a"),
            text.endswith("c"),
            text.isdigit(),
            "12".isdigit(),
            text.isalpha(),
        ]
        checks += [text.islower(), text.isspace(), text == "x", text < "zz", bool(text)]
        return out, found, checks


class Numbers(nn.Module):
    def forward(self, a: int, b: int, x: float) -> tuple[list[int], list[float], list[bool]]:
        ints = [
            a // b,
            a % b,
            -a // b,
            -a % b,
            a << 2,
            a >> 1,
            a & b,
            a | b,
            a ^ b,
            abs(-a),
            int(a**2),
            int(x),
            int(round(x)),
        ]
        ints += [min(a, b), max([a, b, 3]), sum([a, b]), int(math.floor(x)), math.ceil(x), math.gcd(a, b), int(-x)]
        ints += [divmod(a, b)[0], divmod(-a, b)[1], math.factorial(4), int(True)]
        floats = [a / b, x // 0.7, x % 0.7, -x % 0.7, x**0.5, math.sqrt(x), math.exp(x), math.log(x)]
        floats += [
            math.sin(x),
            math.atan2(x, 2.0),
            math.pi,
            math.copysign(x, -1.0),
            math.fmod(-x, 0.7),
            abs(-x),
            float(a),
        ]
        floats += [math.log10(x), math.cosh(x), max(x, 2.0), float("1.5")]
        floats += [math.pow(x, 2.0), math.degrees(x), math.radians(x), math.erf(x), math.lgamma(x)]
        checks = [
            a < b <= 9,
            not a == b,
            math.isnan(x),
            math.isinf(float("inf")),
            any([False, a > 1]),
            all([a > 1, b > 1]),
        ]
        checks += [a in [1, 2, 7], a not in (1, 2), x is not None, bool(a), a != 3 or 1 // (a - a) == 0]
        return ints, floats, checks


class Flow(nn.Module):
    """Early returns, break, continue, else; in loops of each kind."""

    limit: Final[int] = 5

    def search(self, values: list[int], wanted: int) -> int:
        for i, value in enumerate(values):
            if value == wanted:
                return i
            if value > 50:
                return -2
        return -1

    def collatz(self, n: int) -> list[int]:
        steps = [n]
        while True:
            if n == 1:
                break
            if n % 2 == 0:
                n = n // 2
                steps.append(n)
                continue
            n = 3 * n + 1
            steps.append(n)
            if len(steps) > 40:
                return steps
        return steps

    def forward(self, x: Tensor, n: int) -> tuple[Tensor, list[int], Tensor]:
        found = [self.search([4, 8, 2, 60, 3], wanted) for wanted in [8, 3, 60]]
        found.append(self.search([1], 2))
        total = torch.zeros_like(x)
        for i in range(n):
            if i == 2:
                continue
            for j, row in enumerate(x):
                if j > i:
                    break
                total[j] = total[j] + row * i
            if i >= self.limit:
                break
        else_part = x if bool(x.sum() > 0) else -x
        for a, (b, c) in zip([1, 2], [(3, 4), (5, 6)]):
            found.append(a * b + c)
        for letter, k in zip("ab", range(10, 4, -3)):
            found.append(ord(letter) + k)
        return total, found + self.collatz(6), else_part


class Optionals(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bias: Tensor | None = None
        self.scale: float | None = 2.0

    def pick(self, value: int | str | Tensor | list[int]) -> str:
        if isinstance(value, int):
            return "int" + str(value + 1)
        elif isinstance(value, str):
            return value + "!"
        elif torch.jit.isinstance(value, list[int]):
            return "list" + str(len(value))
        else:
            assert isinstance(value, Tensor)
            return "tensor" + str(value.dim())

    def forward(
        self, x: Tensor, y: Tensor | None = None, options: dict[str, int] | None = None
    ) -> tuple[Tensor, list[str], Tensor | None, tuple[int | None, str]]:
        if y is not None and y.dim() == x.dim():
            x = x + y
        elif y is None:
            x = x - 1
        if self.bias is not None:
            x = x + self.bias
        scale = self.scale
        if scale is not None:
            x = x * scale
        kind = options["kind"] if options is not None and "kind" in options else None
        texts = [self.pick(3), self.pick("s"), self.pick(x), self.pick([1, 2])]
        point = Point(x, weight=3.0)
        other = Point(x=x, name="p")._replace(weight=1.0) if False else point
        a, name, weight = other
        return a * weight + other.x, texts + [name], self.bias, (kind, "end")


class Stateful(nn.Module):
    """Buffers and attributes that forward writes."""

    history: list[Tensor]
    table: dict[str, int]
    last: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("steps", torch.tensor(0))
        self.history = []
        self.table = {"calls": 0}
        self.names = torch.jit.Attribute([("a", 1), ("b", 2)], list[tuple[str, int]])
        self.last = None

    def forward(self, x: Tensor) -> tuple[Tensor, int, int, Tensor]:
        for _ in range(3):
            self.steps += 1
            self.mean = self.mean * 0.9 + x.mean(0) * 0.1
            self.history.append(self.mean.clone())
            self.table["calls"] += 1
        self.mean[0] = 5.0
        last = self.last
        if last is None:
            self.last = x[0]
        total = torch.jit.annotate(int, 0)
        for name, value in self.names:
            total += value * len(name)
        return torch.stack(self.history), self.table["calls"] + total, int(self.steps), self.mean


class Restored(nn.Module):
    """A state of its own, with __getstate__ and __setstate__."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.randn(3)
        self.scale = 2.0
        self.packed = [1, 2, 3]

    @torch.jit.export
    def __getstate__(self) -> tuple[Tensor, float, list[int], bool]:
        return self.weight * 2, self.scale, self.packed, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[Tensor, float, list[int], bool]) -> None:
        self.weight = state[0] + 1
        self.scale = state[1] * 3
        self.packed = state[2]
        self.training = state[3]

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight * self.scale + sum(self.packed)


class Expert(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.linear, self.n = nn.Linear(3, 3), n

    def forward(self, x: Tensor, times: int = 1) -> Tensor:
        for _ in range(times):
            x = torch.tanh(self.linear(x)) + self.n
        return x


class Forks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.ModuleList([Expert(i) for i in range(3)])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        futures: list[torch.jit.Future[Tensor]] = []
        for i, expert in enumerate(self.experts):
            futures.append(torch.jit.fork(expert, x, times=i + 1))
        rows = [torch.jit.fork(half, row) for row in x.unbind(0)]
        return torch.stack([torch.jit.wait(each) for each in futures]), torch.stack([each.wait() for each in rows])


def half(x: Tensor) -> Tensor:
    return torch.relu(x) / 2


@torch.jit.interface
class Layer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        pass


class Scale(nn.Module):
    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: Tensor) -> Tensor:
        return x * self.by


class Shift(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1


class Submodules(nn.Module):
    """Lists and dicts of modules, by index, key and interface."""

    layer: Layer

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Scale(2.0), Shift(), Scale(0.5)])
        self.named = nn.ModuleDict({"scale": Scale(3.0), "shift": Shift()})
        self.sequence = nn.Sequential(Scale(1.5), nn.Identity(), nn.Flatten(0))
        self.layer = Scale(7.0)
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(3)) for _ in range(2)])

    def forward(self, x: Tensor, n: int) -> dict[str, Tensor]:
        results: dict[str, Tensor] = {}
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i == n:
                results["at"] = x
        for key, module in self.named.items():
            results[key] = module(x)
        for layer in self.layers[1:]:
            x = layer(x)
        for weight in self.weights:
            x = x + weight
        layer: Layer = self.layers[n]
        results["picked"] = layer.forward(x)
        results["interface"] = self.layer.forward(x)
        results["sequence"] = self.sequence(x)
        results["first"] = self.layers[0](x) if "scale" in self.named else x
        results["count"] = torch.tensor(len(self.layers) + len(self.named))
        return results


class Syntax(nn.Module):
    """Subscripts and in-place forms of tensors."""

    def forward(self, x: Tensor, index: Tensor, mask: Tensor) -> list[Tensor]:
        y = x.clone()
        y[0, 1:] = -1.0
        y[:, ::2] *= 2
        y[mask] = 0.5
        y[index, 0] += 10
        y[..., -1] = x[..., 0]
        y[1] = x[0] / 3
        z = x[None, :, index]
        z[0, 0] -= z[0, 1]
        a, b = x[:, 0], x[1:, 1:3].t()
        a, b = b, a
        x = x.to(torch.float64).to("cpu", torch.float32, non_blocking=True)
        w = x.view(-1)[1:-1:2]
        u = torch.tensor([[1, 2], [3, int(x[0, 0] > 0)]])
        v = torch.tensor([1.5, float(w[0])], dtype=torch.float64)
        s = x.new_full((2,), 3.0) + x.new_tensor([1, 2]) if False else x.new_full((2,), 3.0)
        t = torch.where(mask, x, torch.zeros([], dtype=x.dtype))
        r = x[mask.any(1)][:, mask.any(0)]
        x = x @ torch.eye(x.size(1))
        q = (x > 0) & ~mask | (x < -1) ^ mask
        return [y, z, a.clone(), b, w, u, v, s, t, r, x, q, x[-1, [0, 2]], x.mT, x.T, x[:, None, 1].squeeze(), x % 2]


class Exported(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return self.twice(x, 2) + 1

    @torch.jit.export
    def twice(self, x: Tensor, times: int = 2) -> Tensor:
        return x * times

    @torch.jit.unused
    def debug(self, x: Tensor) -> Tensor:
        raise RuntimeError("never compiled")

    @torch.jit.export
    def described(self, x: Tensor) -> tuple[list[int], int, bool, str, int]:
        if x.numel() > 1000:
            x = self.debug(x)
        assert x.dim() == 2, f"expected 2 dimensions, not {x.dim()}"
        return list(x.shape), x.numel(), x.is_floating_point(), str(x.dtype == torch.float32), x.stride(0)


def restored() -> Case:
    return scripted(Restored(), torch.randn(3))


TABLE = {"b": [1.0, 2.0], "a": [3.0, 4.0]}

CASES: Makers = {
    "classes": lambda: scripted(Classes(), torch.randn(2), 4),
    "enums": lambda: scripted(Enums(), torch.randn(2)),
    "containers": lambda: scripted(
        Containers(), torch.randn(2), ["b", "a", "b", "cd"], {key: torch.tensor(value) for key, value in TABLE.items()}
    ),
    "strings": lambda: scripted(Text(), " abac b\nc", 6, 0.25),
    "numbers": lambda: scripted(Numbers(), 7, 3, 1.75),
    "flow": lambda: scripted(Flow(), torch.randn(3, 2), 9),
    "optionals": lambda: scripted(Optionals(), torch.randn(2), torch.randn(2), {"kind": 4}),
    "optionals_absent": lambda: scripted(Optionals(), torch.randn(2)),
    "stateful": lambda: scripted(Stateful(), torch.randn(2, 3)),
    "restored": restored,
    "forks": lambda: scripted(Forks(), torch.randn(2, 3)),
    "submodules": lambda: scripted(Submodules(), torch.randn(2, 3), 1),
    "syntax": lambda: scripted(Syntax(), torch.randn(3, 4), torch.tensor([2, 0]), torch.rand(3, 4) > 0.5),
    "exported": lambda: scripted(Exported(), torch.randn(2, 3)),
    "exported_twice": lambda: scripted(Exported(), torch.randn(2, 3), 5, method="twice"),
    "exported_described": lambda: scripted(Exported(), torch.randn(2, 3), method="described"),
}
