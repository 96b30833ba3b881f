"""What PyTorch's code says about gradients. Nothing is recorded here, so none of it has an effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["GRADIENT_MODES", "enable_grad", "inference_mode", "is_grad_enabled", "no_grad", "set_grad_enabled"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


class no_grad:
    """A `with` block or decorator without effect: there are no gradients."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass

    def __call__(self, function: _Function) -> _Function:
        return function


class enable_grad(no_grad):
    """A `with` block or decorator without effect: there are no gradients to enable."""


class inference_mode(no_grad):
    """A `with` block or decorator without effect: everything is inference."""

    def __init__(self, mode: bool = True) -> None:
        pass


class set_grad_enabled(no_grad):
    """A call, `with` block or decorator without effect: there are no gradients to enable."""

    def __init__(self, mode: bool) -> None:
        pass


def is_grad_enabled() -> bool:
    """Return False."""
    return False


GRADIENT_MODES = (no_grad, enable_grad, inference_mode, set_grad_enabled)
