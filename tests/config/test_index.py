"""The package indexes of a site: pages, what is refused, and that unchanged wheels are not read again."""

from __future__ import annotations

import hashlib
import html.parser
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import zipfile
from pathlib import Path

import pytest
from commands import builder, environment, tree
from conftest import ROOT
from elves import Families, claims_of, needs_compiler, rewrite_wheel, write_wheel

pytestmark = needs_compiler
LABELS = ("omp", "tbb", "native")


@pytest.fixture
def dist(families: Families, tmp_path: Path) -> Path:
    for label in LABELS:
        families.wheel(tmp_path / "dist" / label, label)
    return tmp_path / "dist"


def requirement(folder: Path, name: str, requires: tuple[str, ...] = ()) -> Path:
    """A wheel of another project, without an ELF file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    return write_wheel(path, {f"{name}.py": b""}, name=name, version="1.0", requires=requires, license_files=())


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append({name: value or "" for name, value in attributes})


def links(page: Path) -> list[dict[str, str]]:
    parser = _Links()
    parser.feed(page.read_text())
    return parser.found


def linked(page: Path, link: dict[str, str]) -> Path:
    """The file that a link of `page` leads to."""
    return (page.parent / urllib.parse.unquote(link["href"].partition("#")[0])).resolve()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- pages


def test_every_backend_has_an_index_with_its_own_wheel_only(dist: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = builder("index", dist, "-o", site)
    assert (done.returncode, done.stdout) == (0, f"{site}: 3 wheels added, 0 unchanged: native, omp, tbb\n")
    for label in LABELS:
        root = site / label / "simple" / "index.html"
        assert [link["href"] for link in links(root)] == ["threadwheel/"]
        page = root.parent / "threadwheel" / "index.html"
        (link,) = links(page)
        wheel = linked(page, link)
        assert wheel.read_bytes() == next((dist / label).glob("*.whl")).read_bytes()
        assert link["href"].endswith(f"#sha256={sha256(wheel)}")
        assert "+" not in link["href"]
        metadata = wheel.with_name(f"{wheel.name}.metadata")
        assert link["data-core-metadata"] == link["data-dist-info-metadata"] == f"sha256={sha256(metadata)}"
        assert link["data-requires-python"] == ">=3.11"
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
            assert archive.read(name) == metadata.read_bytes()


def test_json_says_what_html_says(dist: Path, tmp_path: Path) -> None:
    assert builder("index", dist, "-o", tmp_path / "site").returncode == 0
    for label in LABELS:
        folder = tmp_path / "site" / label / "simple"
        assert json.loads((folder / "index.json").read_text()) == {
            "meta": {"api-version": "1.1"},
            "projects": [{"name": "threadwheel"}],
        }
        data = json.loads((folder / "threadwheel" / "index.json").read_text())
        (link,) = links(folder / "threadwheel" / "index.html")
        url, _, digest = link["href"].partition("#sha256=")
        (file,) = data["files"]
        wheel = linked(folder / "threadwheel" / "index.html", link)
        version = "0.1.0" if label == "omp" else f"0.1.0+{label}"
        assert (data["meta"], data["name"], data["versions"]) == ({"api-version": "1.1"}, "threadwheel", [version])
        assert (file["url"], file["hashes"]["sha256"]) == (url, digest)
        assert (file["filename"], file["size"]) == (wheel.name, wheel.stat().st_size)
        assert f"sha256={file['core-metadata']['sha256']}" == link["data-core-metadata"]
        assert file["requires-python"] == ">=3.11"


def test_what_wheels_require_is_in_the_indexes_that_need_it(dist: Path, tmp_path: Path) -> None:
    requirement(dist / "others", "numpy")
    requirement(dist / "others", "tbb", ("tcmlib",))
    requirement(dist / "others", "tcmlib")
    assert builder("index", dist, "-o", tmp_path / "site").returncode == 0
    found = {
        label: [link["href"] for link in links(tmp_path / "site" / label / "simple" / "index.html")] for label in LABELS
    }
    assert found["omp"] == found["native"] == ["numpy/", "threadwheel/"]
    assert found["tbb"] == ["numpy/", "tbb/", "tcmlib/", "threadwheel/"]
    lines = re.findall(r"<code data-tool=.*?>(.*?)</code>", (tmp_path / "site" / "index.html").read_text())
    assert lines[:2] == [
        "pip install --index-url ADDRESS/omp/simple/ threadwheel===0.1.0",
        "uv pip install --index-url ADDRESS/omp/simple/ threadwheel===0.1.0",
    ]


def test_the_page_for_people_has_a_line_for_every_backend(dist: Path, tmp_path: Path) -> None:
    assert builder("index", dist, "-o", tmp_path / "site", "--base-url", "https://a.example/w/").returncode == 0
    page = (tmp_path / "site" / "index.html").read_text()
    assert re.findall(r'name="backend" value="(\w+)"( checked)?', page) == [
        ("omp", " checked"),
        ("tbb", ""),
        ("native", ""),
    ]
    assert (
        '<code data-tool="pip">pip install --index-url https://a.example/w/tbb/simple/ '
        "--extra-index-url https://pypi.org/simple/ threadwheel===0.1.0+tbb</code>"
    ) in page
    assert '<code data-tool="uv">uv pip install --index https://a.example/w/tbb/simple/ threadwheel===0.1.0+tbb' in page
    assert "TBB everywhere: libtbb, MKL tbb_thread, oneDNN TBB" in page


# --- a site that grows


def test_an_unchanged_site_is_not_written_again(dist: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    builder("index", dist, "-o", site)
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    done = builder("index", dist, "-o", site, "--json")
    assert json.loads(done.stdout) == {"variants": ["native", "omp", "tbb"], "added": [], "unchanged": 3}
    assert done.stderr == ""  # no audit
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before


def test_three_wheels_more_cost_three_audits_beside_a_thousand(families: Families, tmp_path: Path) -> None:
    """Build numbers make a thousand names of one wheel."""
    wheel = families.wheel(tmp_path / "one", "native")
    folders = tmp_path / "many", tmp_path / "new"
    for folder, numbers in zip(folders, (range(1000), range(1000, 1003)), strict=True):
        folder.mkdir()
        for number in numbers:
            shutil.copy(wheel, folder / wheel.name.replace("-cp311-", f"-{number}-cp311-", 1))
    site = tmp_path / "site"
    assert builder("index", folders[0], "-o", site).returncode == 0
    started = time.monotonic()
    done = builder("index", *folders, "-o", site, "--json")
    assert time.monotonic() - started <= 10
    assert done.stderr.count("index: auditing ") == 3
    found = json.loads(done.stdout)
    assert (len(found["added"]), found["unchanged"]) == (3, 1000)
    page = site / "native" / "simple" / "threadwheel" / "index.html"
    assert len({linked(page, link) for link in links(page)}) == 1003


def test_wheels_that_are_only_in_the_site_stay_and_removed_ones_go(dist: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    builder("index", dist, "-o", site)
    shutil.rmtree(dist / "omp")
    assert builder("index", dist, "-o", site).returncode == 0
    assert (site / "omp" / "simple" / "threadwheel" / "index.html").exists()
    (wheel,) = (site / "tbb" / "wheels").glob("*.whl")
    wheel.rename(tmp_path / wheel.name)
    assert builder("index", dist / "native", "-o", site, "--json").stdout.count('"tbb"') == 0
    assert "tbb" not in (site / "index.html").read_text()


def test_a_touched_wheel_is_the_same_wheel(dist: Path, tmp_path: Path) -> None:
    builder("index", dist, "-o", tmp_path / "site")
    for path in (*dist.rglob("*.whl"), *(tmp_path / "site").rglob("*.whl")):
        path.touch()
    done = builder("index", dist, "-o", tmp_path / "site")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("cache", ["", "[]", '{"schema": 1}', '{"schema": 1, "audit": "0", "wheels": {}}', "\x00"])
def test_without_a_cache_everything_is_audited_again(dist: Path, tmp_path: Path, cache: str) -> None:
    site = tmp_path / "site"
    builder("index", dist, "-o", site)
    before = tree(site)
    (site / ".threadwheel-index.json").write_text(cache)
    done = builder("index", dist, "-o", site)
    assert done.stderr.count("index: auditing ") == 3
    assert tree(site) == before


@pytest.mark.parametrize("options", [(), ("--wheel-variants",)], ids=["plain", "variants"])
def test_killed_at_any_moment_it_leaves_pages_whose_links_lead_somewhere(
    dist: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    site = tmp_path / "site"
    for moment in range(12):
        command = [sys.executable, "-m", "threadwheel_build", "--project", ROOT, "index", dist, "-o", site, *options]
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr is not None
        for _ in range(6 if options else 3):
            process.stderr.readline()  # the audit of one more wheel, while there are any
        time.sleep(0.002 * moment)  # not to wait for something, but to be killed somewhere else each time
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        for page in site.glob("*/*/*/index.html"):
            for link in links(page):
                digest = link["href"].partition("=")[2]
                assert linked(page, link).is_file()
                assert digest in ("", sha256(linked(page, link)))
    assert builder("index", dist, "-o", site, *options).returncode == 0
    assert len(list(site.glob("*/*/threadwheel/index.html"))) == (6 if options else 3)


# --- refusals


def refused(site: Path, *paths: Path) -> str:
    """Index `paths`, which must fail with exit code 1 and change nothing; returns what it says."""
    before = tree(site) if site.exists() else None
    done = builder("index", *paths, "-o", site)
    assert (done.returncode, done.stdout) == (1, "")
    assert (tree(site) if site.exists() else None) == before
    return "\n".join(line for line in done.stderr.splitlines() if not line.startswith("index: auditing "))


def swapped(families: Families, folder: Path) -> Path:
    """The OMP wheel's name and claims around the TBB wheel's library; RECORD fits."""
    return families.wheel(folder, "omp", {"threadwheel/lib/libthreadwheel.so": families.library("tbb")})


def lying_build_info(families: Families, folder: Path) -> Path:
    text = json.dumps(claims_of("tbb") | {"runtimes": []}).encode()
    return families.wheel(folder, "tbb", {"threadwheel/build_info.json": text})


def lying_metadata(families: Families, folder: Path) -> Path:
    return families.wheel(folder, "tbb", requires=("numpy>=1.24",))


TAMPERED = {
    swapped: "but the ELF files need or define tbb",
    lying_build_info: "runtimes is [",
    lying_metadata: "requires numpy>=1.24 but threadwheel/build_info.json says numpy>=1.24, tbb>=2021.13",
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda function: function.__name__)
@pytest.mark.parametrize("exists", [False, True], ids=["new site", "site"])
def test_a_tampered_wheel_is_refused_and_nothing_is_written(
    families: Families, dist: Path, tmp_path: Path, tamper: object, exists: bool
) -> None:
    site = tmp_path / "site"
    if exists:
        families.wheel(tmp_path / "first", "native")
        builder("index", tmp_path / "first", "-o", site)
    assert callable(tamper)
    shutil.rmtree(dist)
    path = tamper(families, dist / "bad")
    families.wheel(dist / "good", "native")
    text = refused(site, dist)
    assert text.startswith("threadwheel_build: the index was not written:\n")
    assert str(path) in text
    assert TAMPERED[tamper] in text  # type: ignore[index]


def test_a_wheel_that_was_changed_in_the_site_is_refused(families: Families, dist: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    builder("index", dist, "-o", site)
    (wheel,) = (site / "omp" / "wheels").glob("*.whl")
    families.wheel(wheel.parent, "omp", {"threadwheel/extra.py": b""})
    text = refused(site, dist / "tbb")
    assert f"{wheel}: was changed after it was published; put the published file back, or remove it" in text


def test_a_published_name_never_gets_other_contents(families: Families, dist: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    builder("index", dist, "-o", site)
    path = families.wheel(dist / "omp", "omp", {"threadwheel/extra.py": b""})
    words = "is in the site with other contents, and a published file never changes; raise the version"
    assert f"{path}: {words}" in refused(site, dist)


def test_a_wheel_without_its_claims_does_not_pass_as_a_requirement(
    families: Families, dist: Path, tmp_path: Path
) -> None:
    path = dist / "tbb" / next((dist / "tbb").glob("*.whl")).name
    plain = families.library("native")
    bare = {"threadwheel/build_info.json": None, "threadwheel/lib/libthreadwheel.so": plain[: plain.index(b"\x7fELF")]}
    rewrite_wheel(path, bare)
    words = "is a wheel of threadwheel without its build_info; build it with threadwheel_build"
    assert f"{path.name}: {words}" in refused(tmp_path / "site", dist)


def test_a_wheel_that_nothing_requires_is_refused(dist: Path, tmp_path: Path) -> None:
    path = requirement(dist / "others", "stranger")
    words = "makes no claims of threadwheel_build, and no wheel of the site requires it; leave it out"
    assert f"{path.name}: {words}" in refused(tmp_path / "site", dist)


def test_a_requirement_without_metadata_is_refused(dist: Path, tmp_path: Path) -> None:
    path = requirement(dist / "others", "numpy")
    rewrite_wheel(path, {"numpy-1.0.dist-info/METADATA": None})
    words = "has no single .dist-info/METADATA; build or download the wheel again"
    assert f"{path}: {words}" in refused(tmp_path / "site", dist)


def test_a_site_has_one_project(families: Families, dist: Path, tmp_path: Path) -> None:
    claims = claims_of("native") | {"name": "other"}
    library = families.embedding("other", claims)
    path = dist / "other-0.1.0+native-cp311-cp311-linux_x86_64.whl"
    files = {"other/libother.so": library, "other/build_info.json": json.dumps(claims).encode()}
    write_wheel(path, files, name="other", version="0.1.0+native", requires=claims["requires"])
    words = "is of one project, and these wheels are of other and threadwheel; give each project a site"
    assert f"{tmp_path}/site: {words}" in refused(tmp_path / "site", dist)


def test_two_bad_wheels_are_both_named(families: Families, tmp_path: Path) -> None:
    paths = [swapped(families, tmp_path / "dist" / "a"), lying_metadata(families, tmp_path / "dist" / "b")]
    text = refused(tmp_path / "site", tmp_path / "dist")
    assert all(str(path) in text for path in paths)


def test_mistakes_are_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, words in [
        (tmp_path / "gone", "gone: is no wheel and no folder; name wheels, or folders that hold some"),
        (tmp_path / "empty", "empty: holds no wheel of a variant; threadwheel_build release makes them"),
    ]:
        done = builder("index", path, "-o", tmp_path / "site")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert words in done.stderr
    assert not (tmp_path / "site").exists()
