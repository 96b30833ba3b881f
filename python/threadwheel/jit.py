"""TorchScript programs: archives of `torch.jit.save`, and Python functions and modules, run without PyTorch.

Modules can be pickled and copied: what was loaded from a path goes as that path, what was loaded from bytes as these,
what was compiled as its Python module; and, each time, what has changed in it since.
"""

from __future__ import annotations

import os
import types
from os import PathLike
from typing import Any, TypeVar, overload

from . import _core
from ._core import Future, ScriptFunction, ScriptMethod, ScriptModule
from ._language import annotate, export, exported, fork, ignore, is_scripting, unused, wait
from ._pickling import load_again
from ._script import Compiler
from .nn import Module

__all__ = [
    "Future",
    "ScriptFunction",
    "ScriptMethod",
    "ScriptModule",
    "annotate",
    "export",
    "fork",
    "freeze",
    "ignore",
    "is_scripting",
    "load",
    "script",
    "unused",
    "wait",
]

_T = TypeVar("_T")


def load(
    file: str | bytes | PathLike[str],
    map_location: str | None = None,
    _extra_files: dict[str, bytes] | None = None,
    *,
    model: str = "",
) -> ScriptModule:
    """Load an archive that `torch.jit.save` or `torch.package` wrote.

    `file` is its path, or its bytes. Weights stay in the file and are read when used; a program that writes them
    changes its own copy. `_extra_files` is filled as torch fills it: each key that it has gets the bytes of the file
    that was saved under that name, b"" where there is none. `model` names one of several programs of a package.

    Ops are looked up when a method is first called, so an op that threadwheel lacks matters only to methods that use
    it. Raises ValueError (ArgumentError) that names the record for a file that is damaged, NotImplementedError for one
    of another kind, OSError-like RuntimeError for one that cannot be opened.
    """
    if map_location not in (None, "cpu"):
        raise _core.ArgumentError(f"load: map_location is {map_location!r}; threadwheel runs on the CPU, leave it out")
    if _extra_files is not None:
        for name in _extra_files:
            _extra_files[name] = _core.read_record(file, f"extra/{name}", missing=b"")
    module, fingerprint = _core.load_module(file, model)
    # Absolute: other processes, and this one later, may have another current folder.
    source = file if isinstance(file, bytes) else os.path.abspath(os.fsdecode(file))
    return _core.with_origin(module, (load_again, (source, model, fingerprint)))


def freeze(module: ScriptModule) -> ScriptModule:
    """Return the module's program with everything constant that nothing changes: weights, flags, sizes.

    Branches that depend on such values are decided, batch norms are folded into the layers before them, activations
    become part of those, and weights are arranged for the CPU once. The module itself stays as it is.
    """
    if not isinstance(module, ScriptModule):
        raise TypeError(f"jit.freeze: got a {type(module).__name__}; expected what jit.script or jit.load made")
    return _core.freeze_module(module)


@overload
def script(obj: Module) -> ScriptModule: ...
@overload
def script(obj: type[_T]) -> type[_T]: ...
@overload
def script(obj: types.FunctionType) -> ScriptFunction: ...
def script(obj: Any) -> Any:
    """Compile a function, or a module with its `forward` and what that calls, from its Python source.

    A class is checked and given back: functions that are compiled may make objects of it.

    Parameters without an annotation are tensors. Global names are looked up now, and constants among them stay as they
    are; a module's attributes are copied, but for tensors, whose memory is shared. Other methods of a module are
    compiled when first called. Can be used as a decorator.

    Raises an error that shows the line for what the language does not have: ArgumentError, TypeError where types do not
    fit, NotImplementedError.
    """
    if isinstance(obj, ScriptModule | ScriptFunction):
        return obj
    if isinstance(obj, Module):
        made = Compiler().module(obj)
        if hasattr(obj, "forward"):
            made.forward.compile()
        for name in exported(type(obj)):
            getattr(made, name).compile()
        return _core.with_origin(made, (script, (obj,)))
    if isinstance(obj, type):
        kind, problem = Compiler().class_(obj.__qualname__, obj)
        if kind == "unknown":
            raise _core.ArgumentError(f"jit.script: {problem}")
        return obj
    if not isinstance(obj, types.FunctionType | types.BuiltinFunctionType):
        raise TypeError(f"jit.script: got a {type(obj).__name__}; expected a function, a class or an nn.Module")
    function = Compiler().function(obj)
    function.compile()
    return function


_fork = fork
_wait = wait
