"""Modules: classes whose instances `jit.script` compiles, with their attributes, submodules and methods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from . import functional

__all__ = ["Module", "ModuleList", "Sequential", "functional"]


class Module:
    """Base class of modules. Calling one calls its `forward`.

    Tensors, numbers, strings, None, enum members, modules, and lists, tuples and dicts of these but of modules are
    attributes of the compiled module. Programs can use dtypes and functions that are attributes, too; others are
    Python's alone.
    """

    def __init__(self) -> None:
        self.training = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)  # type: ignore[attr-defined]  # each module defines its own

    def train(self, mode: bool = True) -> Module:
        """Set `training` for the module and those inside it."""
        self.training = mode
        for value in vars(self).values():
            if isinstance(value, Module):
                value.train(mode)
        return self

    def eval(self) -> Module:
        return self.train(False)


class ModuleList(Module):
    """Modules in a row, called in turn by a loop over them."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        for number, module in enumerate(modules):
            setattr(self, str(number), module)

    def __iter__(self) -> Iterator[Module]:
        return (value for value in vars(self).values() if isinstance(value, Module))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, index: int) -> Module:
        return list(self)[index]


class Sequential(ModuleList):
    """Modules of which each takes what the one before gives."""

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def forward(self, x):  # type: ignore[no-untyped-def]  # of whatever type the first module takes
        for module in self:
            x = module(x)
        return x
