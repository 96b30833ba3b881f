"""Wheel variants (experimental): wheels that say their label where the drafts PEP 825 and PEP 850 have installers look.

Owns the names and documents of the drafts, and copies of wheels that follow them. An installer that knows the drafts
goes by the order in the document of an index; any other sees only the wheels without a label. Callers: index.py
stamps and writes the documents, audit_claims.py compares what a wheel says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import wheel_file
from .errors import BuildError
from .wheel_file import Member

# A schema of version 0 promises nothing: what is written for it may have to be written again.
SCHEMA_URL = "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json"
NAMESPACE, FEATURE = "threading", "backend"
VARIANT_FILE = re.compile(r"[^/]+\.dist-info/variant\.json")

_LABEL = re.compile(r"[0-9a-z._]+")
_NULL = "null"  # the drafts' label of a variant without a property


def split_name(file_name: str) -> tuple[list[str], str]:
    """The parts of a wheel's file name as PEP 427 has them, and the label after them; empty where there is none."""
    parts = file_name.removesuffix(".whl").split("-")
    has_build = len(parts) > 2 and parts[2][:1].isdigit()
    return (parts[:-1], parts[-1]) if len(parts) - has_build == 6 else (parts, "")


def document(order: Sequence[str], labels: Iterable[str]) -> bytes:
    """What a wheel or an index says of `labels`; `order` is that of preference, the best one first."""
    data = {
        "$schema": SCHEMA_URL,
        "default-priorities": {"namespace": [NAMESPACE]},
        "providers": {NAMESPACE: {"static-properties": {FEATURE: list(order)}}},
        "variants": {label: {NAMESPACE: {FEATURE: [label]}} for label in sorted(labels)},
    }
    return json.dumps(data, indent=2).encode() + b"\n"


def labels_of(data: object) -> list[str]:
    """The labels that a parsed document names; none where it is no document."""
    variants = data.get("variants") if isinstance(data, dict) else None
    return sorted(variants) if isinstance(variants, dict) else []


def document_name(stamped_name: str) -> str:
    """What an index calls the document that goes with the wheel `stamped_name`, and others of its version."""
    (name, version, *_), _ = split_name(stamped_name)
    return f"{name}-{version}-variants.json"


def stamped_name(wheel_name: str, label: str) -> str:
    """The file name of the copy of the wheel `wheel_name` that carries `label`."""
    if not _LABEL.fullmatch(label) or label == _NULL:
        rule = "PEP 825 takes lower case letters, digits, . and _, and keeps null for itself"
        raise BuildError(f"{wheel_name}: its label {label!r} is none for a wheel variant; {rule}")
    (name, version, *tags), _ = split_name(wheel_name)
    return "-".join([name, _plain(version, label), *tags, label]) + ".whl"


def stamp(wheel: Path, label: str, order: Sequence[str], folder: Path) -> Path:
    """Write the copy of `wheel`, which must be sound, that carries `label`; returns its path in `folder`.

    Equal wheels make equal copies. All labels of a release share its version, or an installer would choose by that.
    The bill of materials stays as it is: it is of the build, whose name tells it from those of the other labels.
    """
    target = folder / stamped_name(wheel.name, label)
    members = wheel_file.read(wheel)
    info = wheel_file.dist_info(members)
    stem = info.removesuffix(".dist-info")
    plain_stem = _plain(stem, label)
    moved = {_moved(name, stem, plain_stem): member for name, member in members.items()}
    metadata = f"{plain_stem}.dist-info/METADATA"
    moved[metadata] = Member(_with_plain_version(moved[metadata].data, label))
    moved[f"{plain_stem}.dist-info/variant.json"] = Member(document(order, [label]))
    wheel_file.write(target, moved, wheel_file.newest_time(wheel))
    return target


def _plain(version: str, label: str) -> str:
    return version.removesuffix(f"+{label}")


def _moved(name: str, stem: str, plain_stem: str) -> str:
    """Where a member goes: the folders that a wheel has for the installer are named after its version."""
    for ending in (".dist-info/", ".data/"):
        if name.startswith(stem + ending):
            return plain_stem + name.removeprefix(stem)
    return name


def _with_plain_version(metadata: bytes, label: str) -> bytes:
    return re.sub(rb"(?m)^(Version: .*?)\+" + re.escape(label.encode()) + rb"(\r?)$", rb"\1\2", metadata, count=1)
