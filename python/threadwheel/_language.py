"""The words of `threadwheel.jit` that code for `script` is written with, and what they mean in Python."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from . import _core
from ._core import Future

_T = TypeVar("_T")


def fork(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
    """Start a call and return its future.

    A function or module that `script` or `load` made runs on the inter-op pool, beside the caller. Any other runs at
    once, as in PyTorch, and what it raises is raised here.
    """
    return _core.fork(function, *args, **kwargs)


def wait(future: Future) -> Any:
    """Return what the forked call gave, or raise what it raised, when it is done."""
    if not isinstance(future, Future):
        raise TypeError(f"jit.wait: got a {type(future).__name__}; expected a Future")
    return future.wait()


def annotate(type: Any, value: _T) -> _T:
    """Say of which type a value is, to `script`; in Python, return the value."""
    return value


def is_scripting() -> bool:
    """Whether this code is compiled: what an `if` on it leaves out need not be a program."""
    return False


_Function = TypeVar("_Function", bound=Callable[..., Any])


def _mark(function: _Function, use: str) -> _Function:
    function.__jit_use__ = use  # type: ignore[attr-defined]  # for `script`
    return function


def export(function: _Function) -> _Function:
    """Compile this method together with its module, so that `script` says what is wrong with it. A decorator.

    Other methods that `forward` does not call are compiled when first called.
    """
    return _mark(function, "export")


def unused(function: _Function) -> _Function:
    """Leave the body of a function or method out of programs: a program that calls it raises NotImplementedError.

    A decorator. Annotations of the parameters and the result still count. In Python the function is as it was.
    """
    return _mark(function, "unused")


@overload
def ignore(drop: _Function, **kwargs: Any) -> _Function: ...
@overload
def ignore(drop: bool = False, **kwargs: Any) -> Callable[[_Function], _Function]: ...
def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Leave the body of a function or method out of programs, as `unused` does. With or without parentheses.

    PyTorch calls back into Python there. A program of threadwheel has no Python to call.
    """
    if callable(drop):
        return _mark(drop, "ignore")
    return lambda function: _mark(function, "ignore")


def is_left_out(function: Callable[..., Any]) -> bool:
    """Whether `jit.ignore` or `jit.unused` has marked it."""
    return getattr(function, "__jit_use__", None) in ("ignore", "unused")


def exported(cls: type) -> list[str]:
    """The methods that `jit.export` has marked."""
    return [name for name in dir(cls) if getattr(inspect.getattr_static(cls, name), "__jit_use__", None) == "export"]
