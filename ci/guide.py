"""The examples of the guide: the fenced blocks of README.md and docs/, run, and their outputs compared or rewritten.

A page says in a comment at its top which tests run it: `<!-- examples: config -->`. Its blocks share a folder, a copy
of the project, and run in their order:

* with a file's name after the language, a block is that file;
* ```python is a program of its own; a ```text block right after it is what it prints;
* ```console has commands after `$ `, each in a shell of its own, and what they print. Where no output is shown the
  exit code must be 0; `$ echo $?` shows it.

In shown output `...` stands for anything on its line, and alone on a line for any lines. A block is left out where the
paragraph before it says why, with the words "Not run by the tests". `python3 ci/guide.py PAGE` runs a page and rewrites
shown outputs that are not what was printed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from threadwheel_build.options import load_table  # noqa: E402

PLACES = ("config", "cmake", "guide")
MODEL = ROOT / "tests" / "data" / "torchscript" / "zoo" / "mobilenetv3_script.pt"
NOT_RUN = "Not run by the tests"
# The guide's commands need none of these; copying them would take longer than running the commands.
LEFT_OUT = {"build", "dist", "site", "tests", "bench"}
# Whatever would choose a runtime, a count or an environment in the place of the page; and every option.
DROPPED = re.compile(
    r"(OMP|GOMP|KMP|MKL|OPENBLAS|THREADWHEEL|DASK|SCCACHE|PYTHON|CMAKE|SKBUILD).*|UV_(PYTHON|PROJECT_ENVIRONMENT)"
    r"|VIRTUAL_ENV|GIT_(DIR|WORK_TREE)|SOURCE_DATE_EPOCH|LD_(LIBRARY_PATH|PRELOAD)"
)
WATCHDOG_S = 300

_FENCE = re.compile(r"^```(\w*)(?: +(\S+))?\n(.*?)^```$", re.M | re.S)


class GuideError(Exception):
    """What is wrong with a page itself."""


@dataclass(frozen=True)
class Block:
    """A fenced block; `start` and `end` are where its text lies in the page."""

    language: str
    file: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Difference:
    """An example that does not do what the page shows."""

    where: str
    shown: str
    printed: str
    span: tuple[int, int]  # of what is shown, in the page

    def __str__(self) -> str:
        return f"{self.where}\n--- shown:\n{self.shown}\n--- printed:\n{self.printed}"


@dataclass(frozen=True)
class Page:
    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Page:
        return cls(path, path.read_text(encoding="utf-8"))

    @property
    def place(self) -> str:
        """Which tests run the page."""
        found = re.findall(r"^<!-- examples: (\w+) -->$", self.text, re.M)
        if len(found) != 1 or found[0] not in PLACES:
            raise GuideError(f"{self.path.name}: says {found} of its examples; it takes one of {', '.join(PLACES)}")
        return found[0]

    def where(self, position: int) -> str:
        return f"{self.path.name}:{self.text.count(chr(10), 0, position) + 1}"

    def blocks(self) -> Iterator[Block]:
        """The blocks that run."""
        for found in _FENCE.finditer(self.text):
            paragraph = self.text[: found.start()].rstrip().rpartition("\n\n")[2]
            if NOT_RUN not in paragraph:
                yield Block(found[1], found[2] or "", found[3], found.start(3), found.end(3))


def pages(place: str) -> list[Path]:
    found = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [path for path in found if Page.read(path).place == place]


def copy_project(folder: Path) -> Path:
    """A copy of the project for a page to run in, with the wheels that there are and the model of the examples."""
    folder.mkdir(parents=True)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
        elif path.name not in LEFT_OUT and not path.name.startswith("."):
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(MODEL, folder / "model.pt")
    for wheel in (ROOT / "dist").glob("*/*.whl"):
        link = folder / wheel.relative_to(ROOT)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(wheel)
    return folder


def environment(*programs: Path, **extra: str) -> dict[str, str]:
    """This one without what would speak for the page, and with the programs of these folders."""
    options = load_table(ROOT).spellings
    kept = {name: value for name, value in os.environ.items() if not DROPPED.fullmatch(name) and name not in options}
    path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
    # CMake's own default generator needs make, which not every machine has.
    return {**kept, "PATH": path, "COLUMNS": "120", "NO_COLOR": "1", "CMAKE_GENERATOR": "Ninja", **extra}


def builder_programs(folder: Path) -> Path:
    """A folder with the command threadwheel_build, from the project's sources."""
    folder.mkdir()
    program = folder / "threadwheel_build"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT}/python exec {sys.executable} -m threadwheel_build "$@"\n')
    program.chmod(0o755)
    return folder


class Runner:
    """Runs the blocks of one page in a folder."""

    def __init__(self, page: Page, folder: Path, environment: Mapping[str, str]) -> None:
        self.page, self.folder, self.environment = page, folder, environment
        self.differences: list[Difference] = []
        self._last_code = 0
        self._last_printed = ""

    def run(self) -> list[Difference]:
        for block in self.page.blocks():
            if block.file:
                path = self.folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text)
            elif block.language == "python":
                self._program(block)
            elif block.language == "text":
                self._compare("the program above", block.text, (block.start, block.end))
            elif block.language == "console":
                self._console(block)
            else:
                where = self.page.where(block.start)
                raise GuideError(f"{where}: no test runs a block of {block.language!r}; name its file, or say why")
        return self.differences

    def _program(self, block: Block) -> None:
        file = self.folder / f"example_{block.start}.py"
        file.write_text(block.text)
        self._execute(f"python -W error {file.name}")
        if self._last_code:
            self._differs(f"a program, exit code {self._last_code}", "", (block.start, block.start))

    def _console(self, block: Block) -> None:
        """Each `$ ` line, which `\\` continues, with the lines up to the next one."""
        parts = list(re.finditer(r"^\$ ((?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)", block.text, re.M))
        if "".join(part[0] for part in parts) != block.text:
            raise GuideError(f"{self.page.where(block.start)}: a console block begins with a command, after '$ '")
        for part in parts:
            command, shown = part[1].strip(), part[2]
            span = (block.start + part.start(2), block.start + part.end(2))
            if command == "echo $?":
                self._last_printed = f"{self._last_code}\n"
            else:
                self._execute(command)
            if shown:
                self._compare(command, shown, span)
            elif self._last_code:
                self._differs(f"{command}: exit code {self._last_code}", shown, span)

    def _execute(self, command: str) -> None:
        try:
            done = subprocess.run(
                ["bash", "-c", command], cwd=self.folder, env=self.environment, timeout=WATCHDOG_S,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise GuideError(f"{self.page.path.name}: not done after {WATCHDOG_S} s: {command}") from error
        self._last_code = done.returncode
        printed = (
            done.stdout.replace(sys.executable, "python").replace(str(self.folder), "...").replace(str(ROOT), "...")
        )
        self._last_printed = re.sub(r"[ \t]+$", "", printed, flags=re.M)

    def _compare(self, what: str, shown: str, span: tuple[int, int]) -> None:
        if not re.fullmatch(pattern(shown), self._last_printed):
            self._differs(what, shown, span)

    def _differs(self, what: str, shown: str, span: tuple[int, int]) -> None:
        where = f"{self.page.where(span[0])}: {what}"
        self.differences.append(Difference(where, shown, self._last_printed, span))


def pattern(shown: str) -> str:
    """What matches shown output, `...` standing for anything."""
    lines = shown.splitlines()
    parts = (
        r"(?:.*\n)*?" if line.strip() == "..." else ".*?".join(map(re.escape, line.split("..."))) + r"\n"
        for line in lines
    )
    return "".join(parts)


def rewritten(page: Page, differences: list[Difference]) -> str:
    text = page.text
    for difference in reversed(differences):
        begin, end = difference.span
        if begin < end:
            text = text[:begin] + difference.printed + text[end:]
    return text


def main(names: list[str]) -> int:
    """Run pages with the programs of this Python's environment, and rewrite their outputs."""
    for name in names:
        page = Page.read(Path(name))
        with tempfile.TemporaryDirectory() as folder:
            programs = [Path(sys.executable).parent, builder_programs(Path(folder, "programs"))]
            differences = Runner(page, copy_project(Path(folder, "project")), environment(*programs)).run()
        for difference in differences:
            print(difference)
        page.path.write_text(rewritten(page, differences), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
