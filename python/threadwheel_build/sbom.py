"""The bill of materials of a wheel: CycloneDX, in `.dist-info/sboms/` (PEP 770).

Made from build_info.json alone, so it names what was linked, not what was planned. Callers: repair.py.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from . import __version__

SPECIFICATION = "1.6"
# A library that the wheel requires is its user's to install; anything else is in the wheel.
IN_WHEEL, REQUIREMENT = "threadwheel_build:in-wheel", "threadwheel_build:requirement"


def file_name(distribution: str) -> str:
    """Where it lies in the dist-info folder."""
    return f"sboms/{distribution}.cdx.json"


def document(info: dict[str, Any], full_version: str, license_expression: str, epoch_seconds: int) -> dict[str, Any]:
    """The bill of the wheel that `info`, its build_info, describes; the same for the same arguments."""
    own_purl = f"pkg:pypi/{info['name']}@{full_version}".replace("+", "%2B")
    libraries = [_component(row) for _, row in sorted(info["libraries"].items())]
    references = [library["bom-ref"] for library in libraries]
    own = {
        "type": "library",
        "bom-ref": own_purl,
        "name": info["name"],
        "version": full_version,
        "purl": own_purl,
        "licenses": [{"expression": license_expression}],
    }
    tool = {"type": "application", "name": "threadwheel_build", "version": __version__}
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPECIFICATION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{own_purl}#{epoch_seconds}')}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [tool]},
            "component": own,
        },
        "components": libraries,
        "dependencies": [{"ref": own_purl, "dependsOn": references}, *({"ref": name} for name in references)],
    }


def _component(row: dict[str, Any]) -> dict[str, Any]:
    purl, _, packaged = row["purl"].partition("@")
    version = row.get("version") or packaged
    full_purl = f"{purl}@{packaged or version}" if version else purl
    component: dict[str, Any] = {"type": "library", "bom-ref": full_purl, "name": row["title"], "purl": full_purl}
    if version:
        component["version"] = version
    if row["license"]:
        component["licenses"] = [_license(row["license"])]
    requires = row.get("requires", ())
    properties = [{"name": IN_WHEEL, "value": "no" if requires else "yes"}]
    properties += [{"name": REQUIREMENT, "value": requirement} for requirement in requires]
    return component | {"properties": properties}


def _license(text: str) -> dict[str, Any]:
    """CycloneDX takes identifiers of the SPDX list and whole expressions in different fields."""
    if text.startswith("LicenseRef-"):
        return {"license": {"name": text}}
    return {"expression": text} if " " in text else {"license": {"id": text}}
