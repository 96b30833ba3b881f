"""What the files beside this one give: programs with inputs. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import torch


class Case(NamedTuple):
    program: torch.jit.ScriptModule
    inputs: tuple[Any, ...]
    method: str = "forward"
    extra: Mapping[str, float] = MappingProxyType({})  # rtol and atol, where they are not those of goldens.py


Makers = dict[str, Callable[[], Case]]


def scripted(module: torch.nn.Module, *inputs: Any, method: str = "forward", **extra: float) -> Case:
    return Case(torch.jit.script(module.eval()), inputs, method, extra)


def traced(module: torch.nn.Module, *inputs: Any, **extra: float) -> Case:
    return Case(torch.jit.trace(module.eval(), inputs, check_trace=False), inputs, "forward", extra)


def traced_without_gradients(module: torch.nn.Module, *inputs: Any, **extra: float) -> Case:
    """Of modules that take a faster way then."""
    with torch.no_grad():
        return traced(module, *inputs, **extra)


def frozen(module: torch.nn.Module, *inputs: Any, **extra: float) -> Case:
    return Case(torch.jit.freeze(torch.jit.script(module.eval())), inputs, "forward", extra)


def both(name: str, module: Callable[[], torch.nn.Module], inputs: Callable[[], tuple[Any, ...]]) -> Makers:
    """The same module scripted and traced."""
    return {
        f"{name}_script": lambda: scripted(module(), *inputs()),
        f"{name}_trace": lambda: traced(module(), *inputs()),
    }
