"""The experimental part of a site: per variant an index of all variants' wheels that prefers this one.

One set of stamped wheels serves all these indexes: an installer that knows wheel variants goes by the order in the
index's document, and any other finds the default wheel beside them. What the drafts say is wheel_variants.py's;
index.py calls this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from .errors import BuildError
from .index_pages import Document, index_files
from .index_store import Entry, Store
from .matrix import jobs
from .options import OptionTable
from .wheel_variants import document, document_name, stamp, stamped_name


def stamped_copies(table: OptionTable, store: Store, folder: Path) -> Iterator[Path]:
    """Write into `folder` a stamped copy of every wheel of the project that has none in the site."""
    order = _labels(table)
    for entry in store.entries.values():
        if not entry.variant or entry.is_stamped or stamped_name(entry.file_name, entry.label) in store.entries:
            continue
        if entry.label not in order:
            text = f"has the label {entry.label}, and wheel variants are ordered as configs/variants/ has them"
            raise BuildError(f"{entry.file_name}: {text}; add a file for it, the labels there are {', '.join(order)}")
        yield stamp(store.source(entry), entry.label, order, folder)


def preferred_files(table: OptionTable, store: Store) -> Iterator[tuple[str, bytes]]:
    """Every file of the indexes VARIANT/variants/ of the site: path below it, and contents."""
    entries = store.entries.values()
    stamped = [entry for entry in entries if entry.is_stamped]
    plain = [entry for entry in entries if entry.is_default]
    if missing := {entry.version for entry in stamped} - {entry.version for entry in plain}:
        text = f"has no wheel of the default variant for {', '.join(sorted(missing))}"
        raise BuildError(f"{store.site}: {text}, which an installer that knows no wheel variants takes; add it")
    required = {name for entry in stamped for name in store.closure(entry.variant)}
    others = [entry for entry in entries if not entry.variant and entry.project in required]
    for label, variant in {entry.label: entry.variant for entry in stamped}.items():
        order = [label, *(other for other in _labels(table) if other != label)]
        yield from index_files(f"{variant}/variants", [*stamped, *plain, *others], _documents(stamped, order))


def _labels(table: OptionTable) -> list[str]:
    return [job.label for job in jobs(table)]


def _documents(stamped: Sequence[Entry], order: Sequence[str]) -> list[Document]:
    """One document for the wheels of each version."""
    by_name: dict[str, list[Entry]] = {}
    for entry in stamped:
        by_name.setdefault(document_name(entry.file_name), []).append(entry)
    return [
        Document(entries[0].project, name, document(order, {entry.label for entry in entries}))
        for name, entries in sorted(by_name.items())
    ]
