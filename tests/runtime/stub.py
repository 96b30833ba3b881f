"""Writes the ops' part of the stub file `_core.pyi` from the registry's schemas: `python tests/runtime/stub.py`.

Run it with the built package installed; test_registry.py compares the file with what this makes. Overloads of one
name become one signature that takes what any of them takes.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from pathlib import Path

STUB = Path(__file__).parents[2] / "python" / "threadwheel" / "_core.pyi"
BEGIN = "# --- ops: written by tests/runtime/stub.py ---\n"
END = "\n# --- end of ops ---\n"

TYPES = {
    "Tensor": "TensorLike",
    "Scalar": "float",
    "int": "int",
    "SymInt": "int",
    "float": "float",
    "bool": "_bool",
    "str": "str",
    "ScalarType": "DTypeLike",
}
RESULTS = {
    "Tensor": "Tensor",
    "int": "int",
    "float": "float",
    "bool": "_bool",
    "str": "str",
    "Tensor[]": "list[Tensor]",
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


def result_type(text: str) -> str:
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
    result: dict[str, Argument] = {}
    for arguments in overloads:
        for argument in arguments:
            known = result.setdefault(argument.name, argument)
            known.types += [one for one in argument.types if one not in known.types]
            known.optional |= argument.optional
            known.keyword_only &= argument.keyword_only
    for argument in result.values():
        argument.optional |= any(all(one.name != argument.name for one in overload) for overload in overloads)
    return sorted(result.values(), key=lambda one: (one.keyword_only, one.optional and not one.keyword_only))


def signature(name: str, schemas: list[str]) -> str:
    parts, keywords = [], False
    for argument in merged([arguments_of(schema) for schema in schemas]):
        if keyword.iskeyword(argument.name):
            continue
        if argument.keyword_only and not keywords:
            parts.append("*")
            keywords = True
        types = sorted(dict.fromkeys(argument.types), key=lambda one: one == "None")
        union = "Any" if "Any" in types else " | ".join(types)
        parts.append(f"{argument.name}: {union}" + (" = ..." if argument.optional else ""))
    results = dict.fromkeys(result_type(schema[schema.rindex("->") + 2 :]) for schema in schemas)
    result = "Any" if "Any" in results else " | ".join(results)
    line = f"def {name}({', '.join(parts)}) -> {result}: ...\n"
    if len(line) <= 121:
        return line
    return f"def {name}(\n" + "".join(f"    {part},\n" for part in parts) + f") -> {result}: ...\n"


def ops_part(schemas: list[str]) -> str:
    by_name: dict[str, list[str]] = {}
    for schema in schemas:
        # The others are the scripting language's; Python has its own.
        if schema.startswith("aten::") and "Tensor" in schema[schema.index("(") :]:
            by_name.setdefault(re.split(r"[.(]", schema.removeprefix("aten::"))[0], []).append(schema)
    return BEGIN + "\n" + "".join(signature(name, texts) for name, texts in by_name.items()) + END


def updated(stub: str, schemas: list[str]) -> str:
    return stub[: stub.index(BEGIN)] + ops_part(schemas) + stub[stub.index(END) + len(END) :]


if __name__ == "__main__":
    import threadwheel as tw

    STUB.write_text(updated(STUB.read_text(), tw._core._testing.check_schemas()))
