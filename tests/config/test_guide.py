"""The guide: its pages run here when they need no build, name every refusal, link to what is there, retype no fact."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

from threadwheel_build.options import OptionTable

sys.path.insert(0, str(ROOT / "ci"))
import guide

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


@pytest.mark.parametrize("page", guide.pages("config"), ids=lambda path: path.name)
def test_examples_do_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    programs = guide.builder_programs(tmp_path / "programs")
    runner = guide.Runner(guide.Page.read(page), guide.copy_project(tmp_path / "p"), guide.environment(programs))
    assert [str(difference) for difference in runner.run()] == []


# --- the examples' own tests -------------------------------------------------------------------------------


def run(text: str, folder: Path) -> list[str]:
    page = guide.Page(folder / "page.md", text)
    return [str(difference) for difference in guide.Runner(page, folder, guide.environment()).run()]


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ echo one; echo two\none\ntwo\n```\n",
        "```console\n$ echo one; echo two\n...\ntwo\n$ false\n$ echo $?\n1\n```\n".replace("$ false\n", "$ false; echo x; exit 1\nx\n"),
        "```console\n$ echo a long line\na ... line\n```\n",
        "```sh hello.sh\necho hello\n```\n\n```console\n$ sh hello.sh\nhello\n```\n",
        "```python\nprint('x')\n```\n\n```text\nx\n```\n",
        "Not run by the tests, it takes days.\n\n```console\n$ false\n```\n",
    ],
)  # fmt: skip
def test_an_example_that_works_passes(text: str, tmp_path: Path) -> None:
    assert run(text, tmp_path) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("```console\n$ echo one\ntwo\n```\n", "page.md:3: echo one\n--- shown:\ntwo\n\n--- printed:\none\n"),
        ("```console\n$ false\n```\n", "page.md:3: false: exit code 1"),
        ("```console\n$ echo one; echo two\none\n```\n", "--- printed:\none\ntwo\n"),
        ("```python\nraise KeyError\n```\n", "a program, exit code 1"),
        ("```python\nprint('x')\n```\n\n```text\ny\n```\n", "the program above\n--- shown:\ny\n"),
    ],
)
def test_an_example_that_is_broken_is_found(text: str, words: str, tmp_path: Path) -> None:
    (found,) = run(text, tmp_path)
    assert words in found


@pytest.mark.parametrize("text", ["```rust\nfn main() {}\n```\n", "```console\nno command\n```\n"])
def test_an_example_that_no_test_could_run_is_an_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(guide.GuideError):
        run(text, tmp_path)


# --- what the pages say --------------------------------------------------------------------------------------


def prose(path: Path) -> str:
    """A page without its blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)


def anchors(path: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "ci" / "README.md"], ids=lambda path: str(path.relative_to(ROOT)))  # fmt: skip
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", prose(page)):
        name, _, anchor = target.partition("#")
        if "://" in name:
            continue
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(path), f"{page.name} links to {target}"


def test_every_page_is_in_the_guides_table() -> None:
    entry = (DOCS / "README.md").read_text()
    assert [page.name for page in PAGES[1:] if page.name != "README.md" and f"({page.name})" not in entry] == []
    assert "docs/README.md" in (ROOT / "README.md").read_text()


def install_lines() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for line in re.findall(r"^\$? ?(?:pip install \.|cmake -S native).*$", page.read_text(), re.M):
            yield page.name, line


@pytest.mark.parametrize(("page", "line"), [pair for pair in install_lines() if not pair[0].startswith("refusals")])
def test_install_lines_are_accepted(page: str, line: str, table: OptionTable) -> None:
    from threadwheel_build.cli import main

    options = re.findall(r"-C ?\S+|-D[A-Z_]+=\S+", line.partition(" #")[0])
    words = [word for option in options for word in option.split(" ")]
    assert main(["--project", str(ROOT), "plan", *words]) == 0


# Of these one text on a page stands for all: kinds of damage, and mistakes in the tables of configs/.
BY_EXAMPLE = {"elf.py", "options.py", "libraries.py"}
# These refuse nothing that a user asks for.
NO_REFUSALS = {"report.py", "metadata.py"}


def remedies(path: Path) -> Iterator[str]:
    """The constant parts, after a semicolon, of texts that say what is wrong and what to do."""
    tree = ast.parse(path.read_text())
    others = {id(part) for node in ast.walk(tree) if is_no_refusal(node) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in others:
            _, _, remedy = node.value.partition("; ")
            if len(remedy.strip()) >= 12:
                yield remedy.strip().split("\n")[0]


def is_no_refusal(node: ast.AST) -> bool:
    """A docstring, a line of progress, or a command's help."""
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    is_help = isinstance(node, ast.FunctionDef) and node.name == "add_arguments"
    return is_docstring or is_print or is_help or (isinstance(node, ast.keyword) and node.arg == "help")


def refusal_pages() -> str:
    return " ".join(
        " ".join(page.read_text() for page in [*DOCS.glob("refusals*.md"), DOCS / "other-projects.md"]).split()
    )


BUILDER = sorted(path.name for path in (ROOT / "python" / "threadwheel_build").glob("*.py"))


@pytest.mark.parametrize("module", [name for name in BUILDER if name not in BY_EXAMPLE | NO_REFUSALS])
def test_every_remedy_of_the_builder_is_on_a_page(module: str) -> None:
    text = refusal_pages()
    missing = [words for words in remedies(ROOT / "python" / "threadwheel_build" / module) if words not in text]
    assert list(dict.fromkeys(missing)) == []


def test_every_finding_of_the_audit_has_an_entry() -> None:
    code = "".join(path.read_text() for path in (ROOT / "python" / "threadwheel_build").glob("audit*.py"))
    kinds = set(re.findall(r'Problem\("([a-z-]+)"', code))
    assert len(kinds) >= 6
    assert kinds <= set(re.findall(r"^## .*`([a-z-]+)`$", (DOCS / "refusals-wheels.md").read_text(), re.M))


@pytest.mark.parametrize("path", [*sorted((ROOT / "cmake").glob("*.cmake")), ROOT / "python/threadwheel_build/cmake/Plan.cmake"], ids=lambda path: path.name)  # fmt: skip
def test_every_refusal_of_cmake_is_on_its_page(path: Path) -> None:
    text = " ".join((DOCS / "refusals-configure.md").read_text().split())
    calls = re.findall(r'(?:FATAL_ERROR|threadwheel_missing\(|threadwheel_impossible\()\s*"([^"]*)"', path.read_text())
    for words in calls:
        parts = re.split(r"\$\{\w+\}", words.replace("\\\n", ""))
        longest = max((" ".join(part.split()) for part in parts), key=len)
        for sentence in longest.removeprefix("threadwheel: ").split("; "):  # CMake breaks the line between two
            assert sentence.strip("; ") in text, words


def test_every_finding_of_info_is_in_the_table() -> None:
    page = (DOCS / "mixed-runtimes.md").read_text()
    tree = ast.parse((ROOT / "python" / "threadwheel" / "_verdict.py").read_text())
    messages = [node.args[1] for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"]  # fmt: skip
    messages += [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "message"]  # fmt: skip
    parts = [part.value.strip(" :") for message in messages for part in ast.walk(message) if isinstance(part, ast.Constant) and isinstance(part.value, str)]  # fmt: skip
    texts = [part for part in parts if " " in part and len(part) >= 9]
    assert len(texts) >= 6
    assert [text for text in texts if text not in page] == []
