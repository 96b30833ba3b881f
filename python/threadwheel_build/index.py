"""`threadwheel_build index`: a static package index per backend, and a page that lets a person choose one.

The site is the store: wheels that are in it stay, new ones are audited and added, and the pages are written
from all of them. A wheel that must not be published stops everything, and nothing is written.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import BuildError
from .index_pages import Index, chooser, index_files
from .index_store import Store, write_text
from .index_variants import preferred_files, stamped_copies
from .matrix import jobs
from .options import OptionTable, load_table


def write_index(
    table: OptionTable, paths: list[Path], site: Path, base_url: str | None, stamped: bool = False
) -> Store:
    """Add the wheels of `paths` to `site` and write its pages; raises AuditError with nothing written.

    With `stamped` the site's wheels get copies that carry their labels (wheel_variants.py); those that are there stay.
    """
    with _one_at_a_time(site), tempfile.TemporaryDirectory(prefix="threadwheel-") as staging:
        store = Store(site, table.families.values())
        store.add(paths)
        store.check()
        if not store.variants():
            names = ", ".join(map(str, paths))
            raise BuildError(f"{names}: holds no wheel of a variant; threadwheel_build release makes them")
        if stamped:
            store.add(list(stamped_copies(table, store, Path(staging))))
            store.check()
        preferred = list(preferred_files(table, store))  # before anything is written: it may refuse
        store.save()
        indexes = list(_indexes(table, store))
        for index in indexes:
            for name, data in index_files(index.folder, index.wheels):
                write_text(site, name, data)
        for name, data in preferred:
            write_text(site, name, data)
        # Last: what a person is sent to is there.
        write_text(site, "index.html", chooser(indexes, base_url).encode())
    return store


def _indexes(table: OptionTable, store: Store) -> Iterator[Index]:
    """The variants in the project's order; those it has no file for come last."""
    described = {job.variant: job.description for job in jobs(table)}
    own = store.variants()
    for variant in sorted(own, key=lambda name: (list(described).index(name) if name in described else len(own), name)):
        required = store.closure(variant)
        wheels = [
            entry
            for entry in store.entries.values()
            if not entry.is_stamped and (entry.variant == variant or (not entry.variant and entry.project in required))
        ]
        is_complete = required <= {entry.project for entry in wheels}
        yield Index(variant, described.get(variant, ""), tuple(wheels), is_complete)


@contextlib.contextmanager
def _one_at_a_time(site: Path) -> Iterator[None]:
    """Two runs would lose each other's wheels: the second waits for the first.

    The lock is on the folder around the site, so that a refused run leaves no trace.
    """
    descriptor = os.open(next(folder for folder in site.resolve().parents if folder.is_dir()), os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `index`."""
    what = "wheels, or folders that hold some; also those of other projects that ours require"
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=what)
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="SITE", help="the folder of the site")
    url = "where the site will be (default: the page's script finds out)"
    parser.add_argument("--base-url", metavar="URL", help=url)
    experimental = (
        "EXPERIMENTAL, after drafts that will change (PEP 825, PEP 850): also SITE/VARIANT/variants/, an index of the "
        "wheels of all variants, copied and stamped with their labels, from which an installer that knows the drafts "
        "(uv pip install --preview-features wheel-variants --index-url ...) takes the wheel of VARIANT if there is one, "
        "else the next in the order of configs/, and any other installer the default wheel"
    )
    parser.add_argument("--wheel-variants", action="store_true", help=experimental)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = (
        "Writes SITE/VARIANT/simple/ (PEP 503, PEP 691 in index.json, PEP 658), and SITE/index.html. "
        "exit code: 0 written; 1 a wheel was refused, nothing was written; 2 a mistake in what was asked"
    )


def run(args: argparse.Namespace) -> int:
    """The `index` subcommand."""
    table = load_table(args.project)
    store = write_index(table, args.paths, args.out, args.base_url, args.wheel_variants)
    if args.json:
        data = {"variants": store.variants(), "added": store.added, "unchanged": store.num_unchanged}
        print(json.dumps(data, indent=2))
    else:
        print(
            f"{args.out}: {len(store.added)} wheels added, {store.num_unchanged} unchanged: {', '.join(store.variants())}"
        )
    return 0
