"""What a build says of the unit it made, and where the unit or another place contradicts it.

Owns build_info.json and the plan embedded in the ELF files, the agreement of the two, and their comparison
with METADATA, the file name and the runtimes found. Which runtimes a unit has is audit_copies.py's; RECORD
is audit_wheels.py's. Schema of build_info.json: report.build_info writes it.
"""

from __future__ import annotations

import itertools
import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from .audit_copies import runtimes_of
from .audit_report import Claims, ElfRow, Problem, listed
from .audit_units import BUILD_INFO, METADATA, PLAN_SECTION, WHEEL, Unit
from .wheel_variants import VARIANT_FILE, labels_of, split_name

SCHEMA = 1

_MAX_VALUES = 300
_FIELDS: dict[str, type] = {"name": str, "version": str, "label": str, "default": bool}
_LISTS = ("runtimes", "requires")
# What these may look like: they become names of files and folders, and parts of lines to paste.
_SPELLINGS = {
    "name": re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"),
    "version": re.compile(r"[A-Za-z0-9][A-Za-z0-9.!_]*"),
    "label": re.compile(r"[A-Za-z0-9]+([._][A-Za-z0-9]+)*"),
}
_OF_EXTRA = re.compile(r"""extra\s*==\s*["'][A-Za-z0-9._-]+["']""")


def makes_claims(unit: Unit) -> bool:
    """Whether the unit says that threadwheel_build made it."""
    return bool(_documents(unit) or _plans(unit))


def check_claims(unit: Unit, rows: Sequence[ElfRow]) -> tuple[Claims | None, list[Problem]]:
    """The unit's claims, None where it makes none that can be read, and everything that contradicts them."""
    documents, plans = _documents(unit), _plans(unit)
    texts = _place_errors(unit, documents, plans)
    usable = {where: value for where, value in (documents | plans).items() if isinstance(value, dict)}
    claims = None
    if usable:
        first, value = next(iter(usable.items()))
        texts += [text for where, other in usable.items() for text in _differences(first, value, where, other)]
        if shape_errors := _shape_errors(first, value):
            texts += shape_errors
        else:
            runtimes, requires = (tuple(value[key]) for key in _LISTS)
            claims = Claims(first, **{key: value[key] for key in _FIELDS}, runtimes=runtimes, requires=requires)
            texts += _identity_errors(unit, claims) + _metadata_errors(unit, claims)
            texts += _runtime_errors(unit, claims, rows)
    return claims, [Problem("claims-mismatch", f"{unit.path}: {text}") for text in texts]


def _documents(unit: Unit) -> dict[str, Any]:
    """The build_info.json that are threadwheel_build's; other projects use that file name too."""
    parsed = {name: _parse_json(data) for name, data in unit.documents.items() if BUILD_INFO.fullmatch(name)}
    if any(facts.plans for facts in unit.facts):
        return parsed
    keys = {"schema", "label", "runtimes"}
    return {name: value for name, value in parsed.items() if isinstance(value, dict) and keys <= set(value)}


def _plans(unit: Unit) -> dict[str, Any]:
    return {f"{facts.path}, section {PLAN_SECTION}": _parse_json(plan) for facts in unit.facts for plan in facts.plans}


def _parse_json(data: bytes) -> Any:
    """The value of a JSON text, or the exception that says why it is none."""
    # A claim has a few dozen: deep nesting from elsewhere would end in a RecursionError.
    if (num_values := data.count(b"{") + data.count(b"[")) > _MAX_VALUES:
        return ValueError(f"{num_values} objects and lists; at most {_MAX_VALUES} are read")
    try:
        return json.loads(data)
    except ValueError as err:
        return err


def _place_errors(unit: Unit, documents: Mapping[str, Any], plans: Mapping[str, Any]) -> list[str]:
    """Where one of the two places is missing or holds no JSON object."""
    texts = []
    if documents and not plans:
        missing = f"no ELF file of the {unit.kind} embeds it in a section {PLAN_SECTION}"
        texts.append(f"{next(iter(documents))}: {missing}; build again")
    if plans and not documents and unit.kind != "library":
        missing = f"a plan is embedded but the {unit.kind} has no <package>/build_info.json"
        texts.append(f"{next(iter(plans))}: {missing}; build again")
    for where, value in (*documents.items(), *plans.items()):
        if not isinstance(value, dict):
            why = f"is no JSON text ({value})" if isinstance(value, Exception) else f"is {_brief(value)}"
            texts.append(f"{where}: {why}; it must be a JSON object, build again")
    return texts


def _differences(first: str, value: Mapping[str, Any], where: str, other: Mapping[str, Any]) -> list[str]:
    texts = []
    for key in sorted({*value, *other}):
        if value.get(key) != other.get(key):
            here, there = _brief(other.get(key)), _brief(value.get(key))
            texts.append(f"{where}: {key} is {here} but {there} in {first}; build again")
    return texts


def _shape_errors(where: str, value: Mapping[str, Any]) -> list[str]:
    if value.get("schema") != SCHEMA:
        return [f"{where}: schema is {_brief(value.get('schema'))}; this audit reads schema {SCHEMA}"]
    wrong = [key for key, kind in _FIELDS.items() if not isinstance(value.get(key), kind)]
    for key in _LISTS:
        rows = value.get(key)
        if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
            wrong.append(key)
    rule = "name, version and label are texts, default is true or false, runtimes and requires are lists of texts"
    texts = [f"{where}: {key} is {_brief(value.get(key))}; {rule}" for key in wrong]
    for key, spelling in _SPELLINGS.items():
        if key not in wrong and not spelling.fullmatch(value[key]):
            texts.append(f"{where}: {key} is {_brief(value[key])}, which is no {key} of a wheel; build again")
    return texts


def _runtime_errors(unit: Unit, claims: Claims, rows: Sequence[ElfRow]) -> list[str]:
    # In a folder of many packages the claims are about the one they are in.
    package = posixpath.dirname(claims.source) if unit.kind == "directory" and claims.source in unit.documents else ""
    found = set(runtimes_of(row for row in rows if not package or row.path.startswith(f"{package}/")))
    claimed = set(claims.runtimes)
    if found == claimed or (unit.kind == "library" and found < claimed):  # one library need not use all of it
        return []
    files = f"the ELF files need or define {listed(found)}"
    return [f"{claims.source} claims the runtimes {listed(claimed)} but {files}; build again"]


def _identity_errors(unit: Unit, claims: Claims) -> list[str]:
    if unit.kind != "wheel":
        return []
    parts, label = split_name(Path(unit.path).name)
    if len(parts) not in (5, 6):
        return [f"the file name has {len(parts)} parts; a wheel's is NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl"]
    texts = []
    if normal_name(parts[0]) != normal_name(claims.name):
        texts.append(_contradiction(f"the file name says {parts[0]}", claims, claims.name))
    if parts[1] != _stated_version(unit, claims):
        texts.append(_contradiction(f"the file name says version {parts[1]}", claims, _stated_version(unit, claims)))
    return texts + _label_errors(unit, claims, label) + _tag_errors(unit, parts[-3:])


def _stated_version(unit: Unit, claims: Claims) -> str:
    """What the file name and METADATA must say: a label after the tags is not in the version too."""
    return claims.version if unit.kind == "wheel" and split_name(Path(unit.path).name)[1] else claims.full_version


def _label_errors(unit: Unit, claims: Claims, label: str) -> list[str]:
    """A wheel variant says its label three times: in the file name, in variant.json and in its claims."""
    found = {name: data for name, data in unit.documents.items() if VARIANT_FILE.fullmatch(name)}
    if not label:
        return [f"has {name} but no label in the file name; build again" for name in found]
    texts = []
    if label != claims.label:
        texts.append(_contradiction(f"the file name says the label {label}", claims, claims.label))
    if len(found) != 1:
        texts.append(
            f"has {len(found)} .dist-info/variant.json files; a name with a label asks for one, stamp it again"
        )
    for name, data in found.items():
        if (labels := labels_of(_parse_json(data))) != [label]:
            texts.append(f"{name} names the labels {listed(labels)} but the file name says {label}; stamp it again")
    return texts


def _tag_errors(unit: Unit, parts: Sequence[str]) -> list[str]:
    """Installers go by the file name; the tags in WHEEL are what the build meant."""
    named = {"-".join(tag) for tag in itertools.product(*(part.split(".") for part in parts))}
    found = [name for name in unit.documents if WHEEL.fullmatch(name)]
    if len(found) != 1:
        return [f"has {len(found)} .dist-info/WHEEL files; a wheel has one, build again"]
    tags = set(map(str, BytesHeaderParser().parsebytes(unit.documents[found[0]]).get_all("Tag", [])))
    if tags == named:
        return []
    return [f"the file name has the tags {listed(named)} but {found[0]} says {listed(tags)}; build again"]


def _metadata_errors(unit: Unit, claims: Claims) -> list[str]:
    parse = BytesHeaderParser().parsebytes
    all_fields = {name: parse(data) for name, data in unit.documents.items() if METADATA.fullmatch(name)}
    own_name = normal_name(claims.name)
    own = {name: fields for name, fields in all_fields.items() if normal_name(str(fields["Name"])) == own_name}
    if unit.kind == "wheel" and (len(own), len(all_fields)) != (1, 1):
        names = listed(str(fields["Name"]) for fields in all_fields.values())
        return [_contradiction(f"METADATA is of {names}", claims, claims.name)]
    texts = []
    claimed = {_normal_requirement(row) for row in claims.requires}
    for name, fields in own.items():
        for field in ("Name", "Version"):
            if (count := len(fields.get_all(field, []))) != 1:
                texts.append(f"{name} says {field} {count} times; it has one, build again")
        if str(fields["Version"]) != (stated := _stated_version(unit, claims)):
            texts.append(_contradiction(f"{name} says version {fields['Version']}", claims, stated))
        rows = map(str, fields.get_all("Requires-Dist", []))
        said = {_normal_requirement(row) for row in rows if not is_of_extra(row)}
        if said != claimed:
            texts.append(_contradiction(f"{name} requires {listed(said)}", claims, listed(claimed)))
    return texts


def _contradiction(found: str, claims: Claims, claimed: str) -> str:
    return f"{found} but {claims.source} says {claimed}; build again"


def normal_name(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_of_extra(requirement: str) -> bool:
    """Whether a Requires-Dist asks for nothing unless an extra is asked for; a marker with `or` may do both."""
    # In a requirement by URL a semicolon without a blank before it belongs to the URL.
    marker = requirement.partition(" ;" if "@" in requirement else ";")[2]
    conditions = re.split(r"\band\b", marker)
    return not re.search(r"\bor\b", marker) and any(_OF_EXTRA.fullmatch(part.strip(" ()")) for part in conditions)


def _normal_requirement(text: str) -> str:
    return re.sub(r"[\s()]", "", text).replace("'", '"')


def _brief(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 200 else f"{text[:200]}..."
