"""Writes the ops' parts of the stub file `_core.pyi` from the registry's schemas: `python tests/runtime/stub.py`.

Run it with the built package installed; test_registry.py compares the file with what this makes. Overloads of one
name become one signature that takes what any of them takes, and a second one where ints may stand for a list of them.
What the stub has of its own, for functions and methods that are no ops alone, stays.
"""

from __future__ import annotations

import itertools
import keyword
import re
from dataclasses import dataclass, replace
from pathlib import Path

STUB = Path(__file__).parents[2] / "python" / "threadwheel" / "_core.pyi"
BEGIN = "# --- ops: written by tests/runtime/stub.py ---\n"
END = "\n# --- end of ops ---\n"
BEGIN_METHODS = "    # --- methods: written by tests/runtime/stub.py ---\n"
END_METHODS = "    # --- end of methods ---\n"

TYPES = {
    "Tensor": "TensorLike",
    "Scalar": "_float",
    "int": "_int",
    "SymInt": "_int",
    "float": "_float",
    "bool": "_bool",
    "str": "str",
    "ScalarType": "DTypeLike",
    "Device": "DeviceLike",
}
RESULTS = {
    "Tensor": "Tensor",
    "int": "_int",
    "float": "_float",
    "bool": "_bool",
    "str": "str",
    "Tensor[]": "list[Tensor]",
    "Device": "device",
}


@dataclass
class Argument:
    name: str
    types: list[str]
    optional: bool
    keyword_only: bool


def split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets."""
    return [part.strip() for part in re.split(r",(?![^\[(]*[\])])", text) if part.strip()]


def python_type(text: str) -> list[str]:
    text = re.sub(r"\(\w+!?(?:[^)]*)\)", "", text)
    if text.endswith("?"):
        return [*python_type(text[:-1]), "None"]
    if match := re.fullmatch(r"(.+)\[(\d*)\]", text):
        element = " | ".join(python_type(match[1]))
        return ([element] if match[2] else []) + [f"Sequence[{element}]"]
    return [TYPES.get(text, "Any")]


def result_names(schema: str) -> list[str]:
    """The names of several results, where the schema gives them."""
    results = schema[schema.rindex("->") + 2 :].strip()
    names = [part.split()[-1] for part in split(results[1:-1]) if " " in part]
    return names if results.startswith("(Tensor") else []


def class_of(names: list[str]) -> str:
    return "".join(name[0].upper() + name[1:] for name in names)


def result_type(text: str) -> str:
    if names := result_names("->" + text):
        return class_of(names)
    text = re.sub(r"(?<=Tensor)\([^)]*\)", "", text).strip()
    if text.startswith("("):
        parts = [result_type(part.split(" ")[0]) for part in split(text[1:-1])]
        return f"tuple[{', '.join(parts)}]" if parts else "None"
    return RESULTS.get(text, "Any")


def arguments_of(schema: str) -> list[Argument]:
    inside = schema[schema.index("(") + 1 : schema.rindex(") ->")]
    arguments, keyword_only = [], False
    for part in split(inside):
        if part == "*":
            keyword_only = True
            continue
        declared, _, name = part.partition("=")[0].rpartition(" ")
        arguments.append(Argument(name, python_type(declared), "=" in part, keyword_only))
    return arguments


def merged(overloads: list[list[Argument]]) -> list[Argument]:
    """The arguments of all overloads by name; each takes what any overload takes by that name or in that place."""
    result: dict[str, Argument] = {}
    for argument in itertools.chain.from_iterable(overloads):
        known = result.setdefault(argument.name, replace(argument, types=[]))
        known.types += argument.types
        known.optional |= argument.optional
        known.keyword_only &= argument.keyword_only
    for argument in result.values():
        argument.optional |= any(all(one.name != argument.name for one in overload) for overload in overloads)
    ordered = sorted(result.values(), key=lambda one: (one.keyword_only, one.optional and not one.keyword_only))
    for overload in overloads:
        for known, argument in zip(ordered, overload, strict=False):
            if not (known.keyword_only or argument.keyword_only):
                known.types += argument.types
    return ordered


def parts_of(arguments: list[Argument]) -> list[str]:
    parts, keywords = [], False
    for argument in arguments:
        name = argument.name
        if keyword.iskeyword(name):
            if argument.keyword_only:
                continue
            name += "_"  # passed by its place
        if argument.keyword_only and not keywords:
            parts.append("*")
            keywords = True
        types = sorted(dict.fromkeys(argument.types), key=lambda one: one == "None")
        union = "Any" if "Any" in types else " | ".join(types)
        parts.append(f"{name}: {union}" + (" = ..." if argument.optional else ""))
    return parts


def definition(name: str, parts: list[str], result: str, indent: str) -> str:
    line = f"{indent}def {name}({', '.join(parts)}) -> {result}: ...\n"
    if len(line) <= 121:
        return line
    return (
        f"{indent}def {name}(\n" + "".join(f"{indent}    {part},\n" for part in parts) + f"{indent}) -> {result}: ...\n"
    )


def gathering(overloads: list[list[Argument]]) -> list[Argument] | None:
    """The arguments of the overload whose last argument by position is a list of ints of any length."""
    for arguments in overloads:
        by_position = [one for one in arguments if not one.keyword_only]
        if by_position and by_position[-1].types == ["Sequence[_int]"]:
            return arguments
    return None


def signature(name: str, schemas: list[str], is_method: bool = False) -> str:
    overloads = [arguments_of(schema)[is_method:] for schema in schemas]
    results = dict.fromkeys(result_type(schema[schema.rindex("->") + 2 :]) for schema in schemas)
    result = "Any" if "Any" in results else " | ".join(results)
    first, indent = (["self"], "    ") if is_method else ([], "")
    gathered = gathering(overloads)
    if gathered is None:
        return definition(name, first + parts_of(merged(overloads)), result, indent)
    ints = next(one for one in reversed(gathered) if not one.keyword_only)
    parts = [part for part in parts_of([one for one in gathered if one is not ints]) if part != "*"]
    before = sum(not one.keyword_only for one in gathered) - 1
    parts.insert(before, f"*{ints.name}: _int")
    plain = definition(name, first + parts_of(merged(overloads)), result, indent)
    return f"{indent}@overload\n{plain}{indent}@overload\n" + definition(name, first + parts, result, indent)


def by_name(schemas: list[str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for schema in schemas:
        names.setdefault(re.split(r"[.(]", schema.split("::")[1])[0], []).append(schema)
    return names


def is_function(schema: str) -> bool:
    """Whether Python has the op: one on tensors, or their seed. The others are the scripting language's."""
    if schema.startswith(("aten::manual_seed(", "aten::dict(")):
        return schema.startswith("aten::manual_seed(")
    return schema.startswith("aten::") and "Tensor" in schema[schema.index("(") :]


def ops_part(schemas: list[str], others: str) -> str:
    functions = [one for one in schemas if is_function(one)]
    names = by_name(functions).items()
    written = "".join(signature(name, texts) for name, texts in names if f"def {name}(" not in others)
    named = {class_of(names): names for names in map(result_names, functions) if names}
    classes = "".join(
        f"class {name}(NamedTuple):\n" + "".join(f"    {field}: Tensor\n" for field in fields) + "\n"
        for name, fields in named.items()
    )
    return BEGIN + "\n" + classes + written + END


def methods_part(schemas: list[str], others: str) -> str:
    methods = [one for one in schemas if re.match(r"aten::[\w.]+\(Tensor(\([^)]*\))? self\b", one)]
    attributes = [one for one in schemas if re.match(r"prim::\w+\(Tensor(\(\w\))? a\)", one)]
    written = BEGIN_METHODS
    for name, texts in by_name(attributes).items():
        if f"def {name}(" not in others:
            result = result_type(texts[0][texts[0].rindex("->") + 2 :])
            written += f"    @property\n    def {name}(self) -> {result}: ...\n"
    for name, texts in by_name(methods).items():
        if f"def {name}(" not in others + written:
            written += signature(name, texts, is_method=True)
    return written + END_METHODS


def cut(stub: str, begin: str, end: str) -> tuple[str, str]:
    return stub[: stub.index(begin)], stub[stub.index(end) + len(end) :]


def updated(stub: str, schemas: list[str]) -> str:
    before, after = cut(stub, BEGIN_METHODS, END_METHODS)
    own = before[before.index("class Tensor:") :]
    stub = before + methods_part(schemas, own) + after
    before, after = cut(stub, BEGIN, END)
    module_level = re.sub(r"(?m)^ .*", "", before + after)
    return before + ops_part(schemas, module_level) + after


if __name__ == "__main__":
    import threadwheel as tw

    STUB.write_text(updated(STUB.read_text(), tw._core._testing.check_schemas()))
