"""What Python objects mean to the script compiler: sources of functions, names in the words of archives' code."""

from __future__ import annotations

import ast
import builtins
import enum
import inspect
import math
import types
import typing
from collections.abc import Callable
from typing import Any

from . import _core
from ._core import ScriptFunction, ScriptModule, ScriptUnit
from ._gradients import GRADIENT_MODES
from ._language import annotate, fork, is_left_out, is_scripting, wait
from .nn import Module

Meaning = tuple[str, Any]
Definition = tuple[str, str, int, int, Callable[[str], Meaning], dict[str, Any]]

_BUILTINS = [
    "abs",
    "all",
    "any",
    "bin",
    "bool",
    "chr",
    "complex",
    "dict",
    "divmod",
    "enumerate",
    "float",
    "getattr",
    "hasattr",
    "hex",
    "int",
    "isinstance",
    "len",
    "list",
    "max",
    "min",
    "oct",
    "ord",
    "pow",
    "print",
    "range",
    "round",
    "sorted",
    "str",
    "sum",
    "tuple",
    "zip",
]
_TYPES: dict[Any, str] = {
    getattr(typing, name): name for name in ("Any", "Union", "Optional", "Final", "List", "Dict", "Tuple")
} | {types.NoneType: "NoneType"}
# Ops that share their name with one of the math module but are not what it does.
_MATH = {"pow": "pow", "fabs": "fabs", "remainder": "mathremainder"}
_SUPPORTED = (
    "supported are functions, constants, and classes that are enums or named tuples or have an __init__ and no base"
)


def source(function: Callable[..., Any], find: Callable[[str], Meaning]) -> Definition:
    """The text of a function and how its names are found. Raises ArgumentError where Python has no source."""
    try:
        lines, first_line = inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        name = getattr(function, "__qualname__", repr(function))
        raise _core.ArgumentError(
            f"jit.script: {name}: Python has no source of it; define it in a file, with def"
        ) from error
    indent = len(lines[0]) - len(lines[0].lstrip())
    text = "".join(line[indent:] if not line[:indent].strip() else line for line in lines)
    signature = inspect.signature(function)
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    file = inspect.getsourcefile(function) or "<source>"
    if is_left_out(function):
        text = _without_body(function, text)
    return file, text, first_line, indent, find, defaults


def _without_body(function: Callable[..., Any], text: str) -> str:
    """The text with a body that says that programs have none."""
    body = typing.cast(ast.FunctionDef, ast.parse(text).body[0]).body[0]
    lines = text.splitlines(keepends=True)[: body.lineno]
    # ast counts columns in bytes of UTF-8.
    lines[-1] = lines[-1].encode()[: body.col_offset].decode()
    message = (
        f"{function.__qualname__}: jit.{vars(function)['__jit_use__']} leaves it out of programs; call it in Python"
    )
    return "".join(lines) + f"raise NotImplementedError({message!r})\n"


def type_text(annotation: Any) -> str:
    """An annotation of a class, which Python has evaluated, as the compiler writes it."""
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, typing.ForwardRef):
        return annotation.__forward_arg__
    if annotation is None or annotation is type(None):
        return "NoneType"
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None:
        return _TYPES.get(annotation) or str(getattr(annotation, "__name__", annotation))
    name = "Union" if origin is types.UnionType else _TYPES.get(origin) or origin.__name__
    return f"{name}[{', '.join(map(type_text, arguments))}]"


class Compiler:
    """One call of `jit.script`: the unit, and what has been added to it."""

    def __init__(self) -> None:
        self.unit = ScriptUnit()
        self._functions: dict[Callable[..., Any], ScriptFunction] = {}
        self._classes: dict[type, str] = {}
        self._modules: dict[int, tuple[Module, ScriptModule]] = {}

    def function(self, function: Callable[..., Any]) -> ScriptFunction:
        if function not in self._functions:
            name = f"__torch__.{function.__module__}.{function.__qualname__}"
            self._functions[function] = self.unit.add_function(name, source(function, self.names_of(function)))
        return self._functions[function]

    def module(self, module: Module) -> ScriptModule:
        if id(module) in self._modules:
            return self._modules[id(module)][1]
        attributes: dict[str, Any] = {}
        for name, value in vars(module).items():
            if isinstance(value, Module):
                attributes[name] = self.module(value)
            elif _is_plain(value):
                attributes[name] = value
        cls = type(module)
        annotations = {
            name: type_text(annotation)
            for base in reversed(cls.__mro__)
            for name, annotation in vars(base).get("__annotations__", {}).items()
            if name in attributes
        }
        name = f"__torch__.{cls.__module__}.{cls.__qualname__}"
        if self._modules:  # each instance has a class of its own
            name += f"_{len(self._modules)}"
        made = self.unit.add_module(
            name,
            attributes,
            annotations,
            lambda method: self._method(cls, method),
            lambda member: self._other(module, member),
        )
        self._modules[id(module)] = (module, made)
        return made

    def names_of(self, function: Callable[..., Any]) -> Callable[[str], Meaning]:
        """How free names of the function are found: in its closure, its module, and Python itself."""

        def find(name: str) -> Meaning:
            code = function.__code__
            if name in code.co_freevars and function.__closure__ is not None:
                cell = function.__closure__[code.co_freevars.index(name)]
                try:
                    return self.meaning(name, cell.cell_contents)
                except ValueError:
                    return "unknown", f"'{name}' has no value yet"
            for scope in (function.__globals__, vars(builtins)):
                if name in scope:
                    return self.meaning(name, scope[name])
            return "unknown", f"'{name}' is not defined"

        return find

    def meaning(self, name: str, value: Any) -> Meaning:
        """What a Python object is to a program."""
        try:
            if value in _paths():
                return "path", _paths()[value]
        except TypeError:  # unhashable: a list or a dict
            pass
        if isinstance(value, types.ModuleType):
            return "names", lambda attribute: self._attribute(value, attribute)
        if isinstance(value, ScriptFunction):
            return "function", value
        if isinstance(value, type):
            return self.class_(name, value)
        if inspect.isfunction(value):
            return "function", self.function(value)
        if isinstance(value, _core.DType):
            return "dtype", value
        if isinstance(value, _core.device | str | int | float | complex | None):
            return "constant", value
        if isinstance(value, list | tuple) and all(isinstance(each, str | int | float) for each in value):
            return "constant", value
        return "unknown", f"'{name}' is a {type(value).__name__}, which programs cannot use; {_SUPPORTED}"

    def _attribute(self, module: types.ModuleType, name: str) -> Meaning:
        if not hasattr(module, name):
            return "unknown", f"module '{module.__name__}' has no attribute '{name}'"
        if module is math and callable(getattr(math, name)):
            return "path", f"torch.{_MATH.get(name, name)}"
        return self.meaning(f"{module.__name__}.{name}", getattr(module, name))

    def class_(self, name: str, cls: type) -> Meaning:
        if issubclass(cls, BaseException):
            return "path", f"exceptions.{cls.__name__}"
        if cls in self._classes:
            return "type", self._classes[cls]
        qualified = f"__torch__.{cls.__module__}.{cls.__qualname__}"
        if issubclass(cls, enum.Enum):
            self.unit.add_enum(qualified, {member.name: member.value for member in cls})
        elif issubclass(cls, tuple) and hasattr(cls, "_fields"):
            fields = [(field, type_text(cls.__annotations__.get(field, "Tensor"))) for field in cls._fields]
            self.unit.add_named_tuple(qualified, fields)
        elif cls.__bases__ == (object,) and inspect.isfunction(vars(cls).get("__init__")):
            self._classes[cls] = qualified  # its methods may name it
            self.unit.add_class(qualified, lambda method: self._method(cls, method))
        else:
            return "unknown", f"'{name}' is a class, which programs cannot use; {_SUPPORTED}"
        self._classes[cls] = qualified
        return "type", qualified

    def _method(self, cls: type, name: str) -> Definition | None:
        method = inspect.getattr_static(cls, name, None)
        if not inspect.isfunction(method) or method in (Module.__init__, Module.__call__):
            return None
        return source(method, self.names_of(method))

    def _other(self, module: Module, name: str) -> Meaning:
        """What a member means that is neither an attribute nor a method: a function, a dtype, why it is left out."""
        try:
            value = inspect.getattr_static(module, name)
        except AttributeError:
            return "unknown", f"{type(module).__qualname__} has no attribute '{name}'"
        if isinstance(value, list | tuple | dict) and any(isinstance(each, Module) for each in _parts(value)):
            return "unknown", (
                f"'{name}' is a {type(value).__name__} of modules, which programs cannot use; make each an attribute,"
                " or use nn.ModuleList"
            )
        return self.meaning(name, value.__func__ if isinstance(value, staticmethod) else value)


def _parts(value: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> list[Any]:
    return [*value, *value.values()] if isinstance(value, dict) else [*value]


def _is_plain(value: Any) -> bool:
    """Whether it is a value of programs. Modules become values only where an attribute is one."""
    if isinstance(value, list | tuple | dict):
        return all(map(_is_plain, _parts(value)))
    return isinstance(value, _core.Tensor | _core.device | str | int | float | complex | None) or _is_array(value)


def _is_array(value: Any) -> bool:
    return type(value).__module__ == "numpy" and hasattr(value, "dtype")


def _paths() -> dict[Any, str]:
    """Python objects that have a word in archives' code."""
    if not _known_paths:
        _known_paths.update({getattr(builtins, name): name for name in _BUILTINS})
        _known_paths.update(_TYPES)
        _known_paths.update({function: f"torch.{name}" for name, function in _core.ops.items()})
        _known_paths.update(
            {
                _core.Tensor: "Tensor",
                _core.device: "torch.device",
                _core.Future: "Future",
                fork: "fork",
                wait: "torch.wait",
                annotate: "annotate",
                is_scripting: "is_scripting",
            }
        )
        _known_paths.update(dict.fromkeys(GRADIENT_MODES, "gradient_mode"))
    return _known_paths


_known_paths: dict[Any, str] = {}
