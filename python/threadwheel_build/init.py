"""`threadwheel_build init`: a new project that builds one wheel per threading backend.

The project is the folder template/ with a name put in; it is written whole or not at all.
"""

from __future__ import annotations

import argparse
import keyword
import re
import tempfile
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from .errors import BuildError

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Names that a file of the template cannot have where it lies.
_RENAMED = {"gitignore": ".gitignore"}


def create(folder: Path, name: str) -> None:
    """Write the project `name` into `folder`, which must be new or empty."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise BuildError(f"{name}: is no name for a package; use lower case letters, digits and _, a letter first")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BuildError(f"{folder}: is there already and not empty; name a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as staging:
        project = Path(staging, "project")
        _copy(resources.files(__package__) / "template", project, name)
        project.replace(folder)


def _copy(source: Traversable, target: Path, name: str) -> None:
    if not source.is_dir():
        target.write_text(source.read_text(encoding="utf-8").replace("PACKAGE_NAME", name), encoding="utf-8")
        return
    target.mkdir()
    for child in source.iterdir():
        if child.name != "__pycache__":
            own_name = name if child.name == "package" else _RENAMED.get(child.name, child.name)
            _copy(child, target / own_name, name)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `init`."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the project's folder, new or empty")
    parser.add_argument("--name", help="the name of the package (default: that of the folder)")


def run(args: argparse.Namespace) -> int:
    """The `init` subcommand."""
    folder: Path = args.folder
    create(folder, args.name or folder.resolve().name.replace("-", "_"))
    print(f"{folder}: is ready; its README.md says what to run")
    return 0
