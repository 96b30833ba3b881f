"""The pages of a site of package indexes, as texts: PEP 503 (HTML) and PEP 691 (JSON), and the page for people.

One index per variant: labels never meet in one index, or an installer would choose by the version. Only stamped
wheels do (index_variants.py), which share theirs.
"""

from __future__ import annotations

import html
import json
import posixpath
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from urllib.parse import quote

from .index_store import Entry

API_VERSION = "1.1"
PUBLIC_INDEX = "https://pypi.org/simple/"
_ADDRESS = "ADDRESS"  # stands for the site's, which the page's script fills in when nobody said it


@dataclass(frozen=True)
class Index:
    """The index of one variant: its own wheels, and those of other projects that they require."""

    variant: str
    description: str
    wheels: tuple[Entry, ...]
    is_complete: bool  # everything that the wheels require is here

    @property
    def folder(self) -> str:
        return f"{self.variant}/simple"

    @property
    def own(self) -> list[Entry]:
        return [wheel for wheel in self.wheels if wheel.variant]

    @property
    def newest(self) -> Entry:
        return max(self.own, key=lambda wheel: _version_key(wheel.version))


@dataclass(frozen=True)
class Document:
    """A file of a project that is no wheel and lies beside the project's page.

    Its hash is in no page: unlike a wheel it changes when others join it.
    """

    project: str
    name: str
    contents: bytes


def index_files(top: str, wheels: Iterable[Entry], documents: Sequence[Document] = ()) -> Iterator[tuple[str, bytes]]:
    """Every file of the index in the folder `top`: path below the site, and contents."""
    projects: dict[str, list[Entry]] = {}
    for wheel in sorted(wheels, key=lambda wheel: wheel.file_name):
        projects.setdefault(wheel.project, []).append(wheel)
    names = sorted(projects)
    links = [f'<a href="{name}/">{name}</a><br>' for name in names]
    yield f"{top}/index.html", _html("Simple index", links)
    yield f"{top}/index.json", _json({"projects": [{"name": name} for name in names]})
    for name in names:
        folder = f"{top}/{name}"
        own = [document for document in documents if document.project == name]
        lines = [_link(wheel, folder) for wheel in projects[name]] + [_document_link(document) for document in own]
        files = [_file(wheel, folder) for wheel in projects[name]] + [_document_file(document) for document in own]
        versions = sorted({wheel.version for wheel in projects[name]}, key=_version_key)
        # Before the page that leads to them.
        yield from ((f"{folder}/{document.name}", document.contents) for document in own)
        yield f"{folder}/index.html", _html(f"Links for {name}", lines)
        yield f"{folder}/index.json", _json({"name": name, "versions": versions, "files": files})


def chooser(indexes: Iterable[Index], base_url: str | None) -> str:
    """The page for people: choose a backend, copy the line that installs it. Works without its script."""
    shown = list(indexes)
    project = shown[0].newest.project
    parts = resources.files(__package__).joinpath("index_page.html").read_text(encoding="utf-8").split("<!-- part -->")
    page, choice, section = map(string.Template, parts)
    address = base_url.rstrip("/") if base_url else _ADDRESS
    values = [_shown(index, address) for index in shown]
    return page.substitute(
        project=html.escape(project),
        choices="".join(choice.substitute(value, checked=" checked" * (i == 0)) for i, value in enumerate(values)),
        sections="".join(section.substitute(value) for value in values),
        address=html.escape(address),
        fill="true" if base_url is None else "false",
    )


def _shown(index: Index, address: str) -> Mapping[str, str]:
    pip, uv = (html.escape(line) for line in install_lines(index, address))
    rows = (
        f"<li><code>{html.escape(wheel.file_name)}</code>, {wheel.size_bytes / 1e6:.1f} MB, "
        f"SHA-256 <code>{wheel.sha256}</code></li>"
        for wheel in sorted(index.own, key=lambda wheel: (_version_key(wheel.version), wheel.file_name), reverse=True)
    )
    return {
        "variant": html.escape(index.variant),
        "description": html.escape(index.description),
        "version": html.escape(index.newest.version),
        "pip": pip,
        "uv": uv,
        "wheels": "\n        ".join(rows),
    }


def install_lines(index: Index, address: str) -> tuple[str, str]:
    """What to paste for pip and for uv.

    The version is said because pip takes the best version of all indexes; with `===`, because an installed
    `X.Y.Z+label` satisfies `==X.Y.Z` and would stay. uv asks `--index` first.
    """
    url, what = f"{address}/{index.folder}/", f"{index.newest.project}==={index.newest.version}"
    if index.is_complete:
        return f"pip install --index-url {url} {what}", f"uv pip install --index-url {url} {what}"
    return (
        f"pip install --index-url {url} --extra-index-url {PUBLIC_INDEX} {what}",
        f"uv pip install --index {url} {what}",
    )


def _html(title: str, lines: Iterable[str]) -> bytes:
    head = f'<meta charset="utf-8"><meta name="pypi:repository-version" content="{API_VERSION}"><title>{title}</title>'
    body = "\n".join(lines)
    page = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n'
    )
    return page.encode()


def _json(data: dict[str, object]) -> bytes:
    return json.dumps({"meta": {"api-version": API_VERSION}, **data}, indent=1).encode() + b"\n"


def _url(wheel: Entry, folder: str) -> str:
    return quote(posixpath.relpath(wheel.path, folder))


def _link(wheel: Entry, folder: str) -> str:
    metadata = f"sha256={wheel.metadata_sha256}"
    attributes = f' data-core-metadata="{metadata}" data-dist-info-metadata="{metadata}"'
    if wheel.requires_python:
        attributes += f' data-requires-python="{html.escape(wheel.requires_python)}"'
    return f'<a href="{_url(wheel, folder)}#sha256={wheel.sha256}"{attributes}>{html.escape(wheel.file_name)}</a><br>'


def _file(wheel: Entry, folder: str) -> dict[str, object]:
    metadata = {"sha256": wheel.metadata_sha256}
    fields = {
        "filename": wheel.file_name,
        "url": _url(wheel, folder),
        "hashes": {"sha256": wheel.sha256},
        "core-metadata": metadata,
        "dist-info-metadata": metadata,
        "size": wheel.size_bytes,
    }
    return fields | ({"requires-python": wheel.requires_python} if wheel.requires_python else {})


def _document_link(document: Document) -> str:
    return f'<a href="{quote(document.name)}">{html.escape(document.name)}</a><br>'


def _document_file(document: Document) -> dict[str, object]:
    return {"filename": document.name, "url": quote(document.name), "hashes": {}}


def _version_key(version: str) -> list[tuple[int, int, str]]:
    """Good enough for versions X.Y.Z[+label]: numbers by value, anything else before a number."""
    parts = version.partition("+")[0].replace("-", ".").split(".")
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]
