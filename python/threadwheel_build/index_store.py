"""The wheels of a site of package indexes: what is known of each, and what has to be looked at again.

Owns where a wheel lies below the site, the cache in it, and the audit that every new or changed wheel must
pass. What the pages say is index_pages.py's. A wheel that size and time say is unchanged is not read again;
its hash is in the pages, so an installer notices what the times do not show.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from email.message import Message
from pathlib import Path

from . import __version__
from .audit import audit_wheel
from .audit_claims import is_of_extra, normal_name
from .audit_report import Claims, listed
from .audit_units import METADATA
from .deliver import deliver
from .errors import AuditError, BuildError, printable
from .options import Family
from .wheel_file import headers
from .wheel_variants import split_name

SCHEMA = 1
CACHE = ".threadwheel-index.json"
_FILE_NAME = re.compile(r"[A-Za-z0-9._+!-]+\.whl")
REQUIREMENTS = "requirements"  # the folder of wheels of other projects


@dataclass(frozen=True, slots=True)
class Entry:
    """One wheel of the site; `variant` and `label` are empty for another project's, which ours require."""

    path: str  # below the site
    size_bytes: int
    mtime_ns: int
    sha256: str
    metadata_sha256: str
    project: str
    version: str
    requires_python: str
    requires: tuple[str, ...]  # normalised names
    variant: str = ""
    label: str = ""

    @property
    def file_name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_stamped(self) -> bool:
        """Whether it is a copy that carries its label as wheel variants do."""
        return bool(split_name(self.file_name)[1])

    @property
    def is_default(self) -> bool:
        """Whether an installer that knows no variants may take it from among others."""
        return bool(self.variant) and not self.is_stamped and not self.version.endswith(f"+{self.label}")


@dataclass(frozen=True, slots=True)
class _New:
    """A wheel that passed the audit and is not in the site as it is; `metadata` is the text of its METADATA."""

    source: Path
    entry: Entry
    metadata: bytes


class Store:
    """The wheels of the folder `site`. Nothing is written before `save`."""

    def __init__(self, site: Path, families: Iterable[Family]) -> None:
        self.site = site
        self._runtimes = {family.label: frozenset(family.runtimes) for family in families}
        self.entries: dict[str, Entry] = {}  # by file name
        self.num_unchanged = 0
        self._new: list[_New] = []
        self._refused: list[str] = []
        cached = _read_cache(site / CACHE)
        for path in sorted(site.glob("*/wheels/*.whl")):
            self._recall(path, cached.get(path.relative_to(site).as_posix()))

    @property
    def added(self) -> list[str]:
        """The names of the wheels that `save` will put into the site."""
        return [new.entry.file_name for new in self._new if new.source != self.site / new.entry.path]

    def add(self, paths: Iterable[Path]) -> None:
        """Take in wheels, and the wheels of folders; raises BuildError for a path that is neither."""
        for path in _wheels(paths):
            held = self.entries.get(path.name)
            if held is None:
                self._examine(path)
            elif not _is_unchanged(held, path) and _sha256(path) != held.sha256:
                text = "is in the site with other contents, and a published file never changes"
                self._refused.append(f"{path}: {text}; raise the version, or remove the file from {self.site}")

    def check(self) -> None:
        """Raise AuditError when any wheel must not be published, with every reason."""
        own = {entry.project for entry in self.entries.values() if entry.variant}
        if len(own) > 1:
            text = f"is of one project, and these wheels are of {' and '.join(sorted(own))}"
            self._refused.append(f"{self.site}: {text}; give each project a site")
        own_variants = {entry.variant for entry in self.entries.values() if entry.variant}
        required = {name for variant in own_variants for name in self.closure(variant)}
        for entry in self.entries.values():
            if entry.variant:
                continue
            if entry.project in own:
                text = f"is a wheel of {entry.project} without its build_info; build it with threadwheel_build"
                self._refused.append(f"{entry.file_name}: {text}")
            elif entry.project not in required:
                text = "makes no claims of threadwheel_build, and no wheel of the site requires it"
                self._refused.append(f"{entry.file_name}: {text}; leave it out")
        if self._refused:
            lines = "\n".join(f"  {text}" for text in self._refused)
            raise AuditError(f"threadwheel_build: the index was not written:\n{lines}")

    def variants(self) -> list[str]:
        """The variants that have a wheel which any installer takes."""
        return sorted({entry.variant for entry in self.entries.values() if entry.variant and not entry.is_stamped})

    def source(self, entry: Entry) -> Path:
        """Where a wheel can be read now: one that is new is not in the site yet."""
        return next((new.source for new in self._new if new.entry is entry), self.site / entry.path)

    def closure(self, variant: str) -> set[str]:
        """The names of all projects that a variant's wheels require, directly or not, as far as known here."""
        others: dict[str, set[str]] = {}
        for entry in self.entries.values():
            if not entry.variant:
                others.setdefault(entry.project, set()).update(entry.requires)
        found: set[str] = set()
        waiting = {name for entry in self.entries.values() if entry.variant == variant for name in entry.requires}
        while waiting:
            found |= waiting
            waiting = {name for project in waiting for name in others.get(project, ())} - found
        return found

    def save(self) -> None:
        """Put the new wheels and their metadata into the site, then the cache."""
        for new in self._new:
            target = self.site / new.entry.path
            if new.source != target:
                deliver(new.source, target.parent)
                os.utime(target, ns=(new.entry.mtime_ns, new.entry.mtime_ns))
            write_text(self.site, f"{new.entry.path}.metadata", new.metadata)
        rows = {entry.path: asdict(entry) for entry in sorted(self.entries.values(), key=lambda entry: entry.path)}
        cache = {"schema": SCHEMA, "audit": __version__, "wheels": rows}
        write_text(self.site, CACHE, json.dumps(cache, indent=0).encode())

    def _recall(self, path: Path, known: Entry | None) -> None:
        """Take in a wheel that is in the site already."""
        if known is None or not path.with_name(f"{path.name}.metadata").is_file():
            self._examine(path)  # another audit wrote the cache, or a run was interrupted
        elif _is_unchanged(known, path) or _sha256(path) == known.sha256:
            self.entries[path.name] = replace(known, mtime_ns=path.stat().st_mtime_ns)
            self.num_unchanged += 1
        else:
            text = "was changed after it was published"
            self._refused.append(f"{path}: {text}; put the published file back, or remove it from the site")

    def _contradiction(self, claims: Claims) -> str:
        """Where a wheel's label is not the project's, or is of another family than its threading."""
        runtimes = self._runtimes.get(claims.label.partition(".")[0])
        if runtimes is None:
            return f"says the label {claims.label}; the families of this project are {', '.join(self._runtimes)}"
        if runtimes != set(claims.runtimes):
            needs, own = listed(claims.runtimes), listed(runtimes)
            return f"says the label {claims.label} and needs the runtimes {needs}; that family has {own}, build again"
        return ""

    def _examine(self, path: Path) -> None:
        """Audit a wheel and read what the pages say of it."""
        print(printable(f"index: auditing {path}"), file=sys.stderr, flush=True)
        report = audit_wheel(path)
        if report.problems:
            self._refused += [problem.text for problem in report.problems]
            return
        metadata = _metadata(path)
        if metadata is None:
            self._refused.append(f"{path}: has no single .dist-info/METADATA; build or download the wheel again")
            return
        fields = headers(metadata)
        contradiction = self._contradiction(report.claims) if report.claims else _name_contradiction(path, fields)
        if contradiction:
            self._refused.append(f"{path}: {contradiction}")
            return
        label = report.claims.label if report.claims else ""
        variant = label.replace(".", "-")
        status = path.stat()
        entry = Entry(
            path=f"{variant or REQUIREMENTS}/wheels/{path.name}",
            size_bytes=status.st_size,
            mtime_ns=status.st_mtime_ns,
            sha256=_sha256(path),
            metadata_sha256=hashlib.sha256(metadata).hexdigest(),
            project=normal_name(str(fields["Name"])),
            version=str(fields["Version"]),
            requires_python=str(fields.get("Requires-Python", "")),
            requires=tuple(sorted(set(_required_names(fields.get_all("Requires-Dist", []))))),
            variant=variant,
            label=label,
        )
        self.entries[entry.file_name] = entry
        self._new.append(_New(path, entry, metadata))


def _name_contradiction(path: Path, fields: Message) -> str:
    """Where another project's wheel is not what its file name says; installers go by the name."""
    project, version = str(fields["Name"]), str(fields["Version"])
    parts, _ = split_name(path.name)
    named = (normal_name(parts[0]), parts[1]) if _FILE_NAME.fullmatch(path.name) and len(parts) in (5, 6) else None
    if named == (normal_name(project), version):
        return ""
    return f"is the wheel of {project} {version} by its METADATA and not by its file name; download it again"


def write_text(site: Path, name: str, data: bytes) -> bool:
    """Put `data` into the file `name` of the site, whole or not at all; False when it was there already."""
    target = site / name
    if target.is_file() and target.read_bytes() == data:
        return False
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, target.name)
        source.write_bytes(data)
        deliver(source, target.parent)
    return True


def _read_cache(path: Path) -> dict[str, Entry]:
    """What an earlier run knew; empty when there was none, or another version of the audit wrote it."""
    try:
        cache = json.loads(path.read_text(encoding="utf-8"))
        if (cache["schema"], cache["audit"]) != (SCHEMA, __version__):
            return {}
        rows = {name: Entry(**row) for name, row in cache["wheels"].items()}
        return {name: replace(entry, requires=tuple(entry.requires)) for name, entry in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _is_unchanged(entry: Entry, path: Path) -> bool:
    status = path.stat()
    return (entry.size_bytes, entry.mtime_ns) == (status.st_size, status.st_mtime_ns)


def _wheels(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*.whl") if not found.is_dir())
        elif path.suffix == ".whl" and path.is_file():
            yield path
        else:
            raise BuildError(f"{path}: is no wheel and no folder; name wheels, or folders that hold some")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _metadata(path: Path) -> bytes | None:
    """The METADATA of a wheel that the audit could read; None where there is none, or more than one."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if METADATA.fullmatch(name)]
        return archive.read(names[0]) if len(names) == 1 else None


def _required_names(rows: Iterable[str]) -> Iterator[str]:
    for row in rows:
        match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", row)
        if match and not is_of_extra(row):
            yield normal_name(match[1])
