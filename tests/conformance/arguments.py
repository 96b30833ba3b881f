"""Random arguments for an op, made from its schema: tensors of any dtype, shape and strides, numbers, dimensions."""

from __future__ import annotations

import math
import random
import re
from typing import Any, NamedTuple

import torch

DTYPES = [torch.float32, torch.float64, torch.int64, torch.int32, torch.bool, torch.uint8, torch.int8, torch.int16]
DTYPES += [torch.float16, torch.bfloat16, torch.complex64, torch.complex128]
WEIGHTS = [12, 4, 5, 2, 3, 1, 1, 1, 2, 2, 2, 1]
UNUSUAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 0.5, 1e30, 1e-30, 100.0, -100.0]


class Argument(NamedTuple):
    type: str
    name: str
    default: str | None
    keyword_only: bool


def arguments_of(schema: str) -> list[Argument]:
    """The arguments of "aten::name.overload(Tensor self, *, int dim=0) -> Tensor"."""
    inner = schema[schema.index("(") + 1 : schema.rindex(") ->")]
    result, keyword_only = [], False
    for text in re.split(r", (?![^(\[]*[)\]])", inner):
        if text == "*":
            keyword_only = True
        elif text:
            declared, _, default = text.partition("=")
            kind, _, name = declared.rpartition(" ")
            result.append(Argument(re.sub(r"\([^)]*\)", "", kind), name, default or None, keyword_only))
    return result


class Maker:
    """Choices for one call: what is chosen for the first tensor decides what usually goes with it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.dtype = self.random.choices(DTYPES, WEIGHTS)[0]
        self.shape = tuple(
            self.random.choice([0, 1, 2, 3, 3, 4, 5, 7]) for _ in range(self.random.choice([0, 1, 2, 2, 3, 4]))
        )
        self.unusual = self.random.random() < 0.2
        self.seen = 0

    def other_shape(self) -> tuple[int, ...]:
        """Mostly one that broadcasts with the first."""
        if self.seen == 0 or self.random.random() < 0.6:
            return self.shape
        shape = [1 if self.random.random() < 0.3 else size for size in self.shape]
        return tuple(shape[self.random.randint(0, len(shape)) :])

    def dtype_now(self) -> torch.dtype:
        return self.dtype if self.random.random() < 0.75 else self.random.choices(DTYPES, WEIGHTS)[0]

    def elements(self, dtype: torch.dtype, shape: tuple[int, ...]) -> torch.Tensor:
        if dtype == torch.bool:
            return torch.randint(0, 2, shape, generator=self.generator).bool()
        if not dtype.is_floating_point and not dtype.is_complex:
            least = 0 if dtype == torch.uint8 else -5
            return torch.randint(least, 9, shape, generator=self.generator).to(dtype)
        wide = torch.complex128 if dtype.is_complex else torch.float64
        x = torch.randn(shape, generator=self.generator, dtype=wide) * self.random.choice([0.5, 1, 3])
        if self.unusual and not dtype.is_complex:
            places = torch.rand(shape, generator=self.generator) < 0.3
            values = torch.tensor(UNUSUAL)[torch.randint(0, len(UNUSUAL), shape, generator=self.generator)]
            x = torch.where(places, values.double(), x)
        return x.to(dtype)

    def tensor(self, dtype: torch.dtype | None = None, shape: tuple[int, ...] | None = None) -> torch.Tensor:
        shape = self.other_shape() if shape is None else shape
        self.seen += 1
        x = self.elements(dtype or self.dtype_now(), shape)
        layout = self.random.random()
        if layout < 0.2 and x.dim() >= 2:  # transposed
            a, b = self.random.sample(range(x.dim()), 2)
            x = x.transpose(a, b).contiguous().transpose(a, b)
        elif layout < 0.35 and x.dim() >= 1:  # every second of a larger one
            wide = torch.zeros([*x.shape[:-1], 2 * x.shape[-1] + 1], dtype=x.dtype)
            wide[..., 1::2] = x
            x = wide[..., 1::2]
        elif layout < 0.4 and x.dim() >= 1 and x.shape[0] > 0:  # repeated without memory of its own
            x = x[:1].expand(x.shape)
        return x

    def dim(self) -> int:
        rank = max(1, len(self.shape))
        return self.random.randint(-rank, rank - 1)

    def number(self) -> Any:
        return self.random.choice([0, 1, 2, 3, -1, 0.5, 1.5, -2.25, True, 2.0])

    def integer(self, name: str) -> int:
        if re.search(r"dim|axis", name):
            return self.dim()
        if name in ("dtype", "layout", "memory_format"):
            return 0
        return self.random.choice([0, 1, 1, 2, 2, 3, 4, -1])

    def integers(self, name: str, size: int) -> Any:
        if re.search(r"dim|axis|axes", name) or name in ("dims",):
            rank = max(1, len(self.shape))
            return self.random.sample(range(-rank, 0), self.random.randint(0 if rank == 0 else 1, rank))
        if name in ("normalized_shape",):
            return list(self.shape[-self.random.randint(1, 2) :])
        if re.search(r"size|shape", name) and name not in ("kernel_size", "output_size"):
            return list(
                self.random.choice([self.shape, self.shape[::-1], (-1,), (math.prod(self.shape),), (2, *self.shape)])
            )
        count = size or self.random.choice([1, 2, 3])
        least = 0 if name in ("padding", "output_padding", "pad") else 1
        return [self.random.randint(least, 3) for _ in range(count)]

    def indices(self) -> list[torch.Tensor | None]:
        """Positions, masks and Nones for the first dimensions."""
        chosen: list[torch.Tensor | None] = []
        for size in self.shape[: self.random.randint(1, 3)]:
            kind = self.random.random()
            if kind < 0.3:
                chosen.append(None)
            elif kind < 0.5:
                chosen.append(torch.randint(0, 2, (size,), generator=self.generator).bool())
            else:
                chosen.append(torch.randint(-size, max(1, size), (2,), generator=self.generator))
        return chosen if any(each is not None for each in chosen) else [torch.zeros(2, dtype=torch.int64)]

    def value(self, argument: Argument) -> Any:
        kind, name = argument.type, argument.name
        if kind.endswith("?"):
            if self.random.random() < 0.5:
                return None
            return self.value(argument._replace(type=kind[:-1]))
        if kind == "Tensor":
            if name in ("index", "indices", "indices_or_sections") or (name == "target" and self.random.random() < 0.7):
                low = -2 if self.random.random() < 0.3 else 0
                shape = self.other_shape()
                return torch.randint(low, 3, shape, generator=self.generator)
            if name in ("mask", "condition"):
                return self.tensor(torch.bool)
            return self.tensor()
        if kind == "Tensor?[]":
            return self.indices()
        if kind == "Tensor[]":
            return [self.tensor(shape=self.shape) for _ in range(self.random.randint(1, 3))]
        if kind in ("Scalar", "number"):
            return self.number()
        if kind in ("int", "SymInt"):
            return self.integer(name)
        if name == "eps":
            return self.random.choice([1e-5, 0.1])
        if kind == "float":
            return float(self.number())
        if kind == "bool":
            return self.random.random() < 0.5
        if kind == "str":
            return (
                argument.default.strip("\"'")
                if argument.default
                else self.random.choice(["linear", "sum", "ij", "a b"])
            )
        if kind == "ScalarType":
            return self.random.choice(DTYPES)
        if found := re.fullmatch(r"(?:int|SymInt)\[(\d*)\]", kind):
            return self.integers(name, int(found[1] or 0))
        if re.fullmatch(r"float\[\d*\]", kind):
            return [1.5, 2.0]
        raise NotImplementedError(kind)

    def call(self, arguments: list[Argument]) -> tuple[list[Any], dict[str, Any]]:
        """Positional and named arguments; those with defaults are left out half of the time, as None is chosen."""
        positional: list[Any] = []
        named: dict[str, Any] = {}
        stop = False
        for argument in arguments:
            leave_out = argument.default is not None and self.random.random() < 0.5
            if argument.name in ("layout", "device", "pin_memory", "memory_format", "generator", "out"):
                leave_out = True
            if argument.keyword_only:
                if not leave_out:
                    named[argument.name] = self.value(argument)
            elif stop or leave_out:
                stop = True
                if not leave_out:
                    named[argument.name] = self.value(argument)
            else:
                positional.append(self.value(argument))
        return positional, named
