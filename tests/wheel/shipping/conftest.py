"""The wheels of the release variants, repaired once, with what they require, and the site made of them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
LABELS = ("omp", "tbb", "native")
JSON = "application/vnd.pypi.simple.v1+json"
ASK = """
import json, numpy, threadwheel as tw
product = tw.mm(numpy.ones((2, 3), "f4"), numpy.ones((3, 2), "f4"))
print(json.dumps([tw.__config__.build_info()["label"], float(numpy.asarray(product)[0, 0])]))
"""
# A machine's own indexes would answer where the test's has nothing.
ALONE = {"PIP_CONFIG_FILE": "/dev/null", "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "UV_NO_CONFIG": "1"}
ALONE |= {
    "UV_EXTRA_INDEX_URL": "",
    "UV_INDEX": "",
    "UV_FIND_LINKS": "",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}

sys.path[:0] = [str(ROOT / "tests" / "config"), str(ROOT / "tests" / "wheel")]  # elves.py builds small libraries

from processes import run  # noqa: E402


def builder(*arguments: object, ok: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "threadwheel_build", "--project", ROOT, *arguments]
    return run(*command, ok=ok, PYTHONPATH=str(ROOT / "python"), SOURCE_DATE_EPOCH="1700000000")


def built(label: str) -> Path:
    (wheel,) = (ROOT / "dist" / label).glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("released")
    for label in LABELS:
        builder("repair", built(label), "-o", folder / label, "--expect", label)
    return {label: next((folder / label).glob("*.whl")) for label in LABELS}


@pytest.fixture(scope="session")
def requirements(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels that ours require, from the package index of this machine."""
    folder = tmp_path_factory.mktemp("requirements")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", folder]
    run(*command, "numpy>=1.26", "tbb>=2021.13")
    return folder


@dataclass
class Site:
    """A served site; `asked` are the paths that were asked for."""

    folder: Path
    address: str = ""
    asked: list[str] = field(default_factory=list)

    def index(self, label: str) -> str:
        return f"{self.address}/{label}/simple/"


class Handler(SimpleHTTPRequestHandler):
    """Static files, as any web server; one that negotiates gives index.json to who prefers it."""

    negotiates = False
    site: Site

    def send_head(self) -> Any:
        self.site.asked.append(self.path)
        if self.negotiates and self.path.endswith("/") and JSON in self.headers.get("Accept", ""):
            self.path += "index.json"
        return super().send_head()

    def guess_type(self, path: Any) -> str:
        return JSON if str(path).endswith("index.json") else super().guess_type(path)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class NegotiatingHandler(Handler):
    negotiates = True


@pytest.fixture(scope="session")
def site_folder(released: dict[str, Path], requirements: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    builder("index", *released.values(), requirements, "-o", folder)
    return folder


@pytest.fixture(params=[Handler, NegotiatingHandler], ids=["html", "json"])
def site(request: pytest.FixtureRequest, site_folder: Path) -> Iterator[Site]:
    yield from serve(site_folder, request.param)


def serve(folder: Path, handler: type[Handler]) -> Iterator[Site]:
    site = Site(folder)
    own = type("OwnHandler", (handler,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(own, directory=str(folder))) as server:
        site.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    run("uv", "venv", "--quiet", "--seed", "--python", sys.executable, tmp_path / "venv")
    return tmp_path / "venv"


def install(venv: Path, tool: str, url: str, what: str = "threadwheel") -> None:
    if tool == "pip":
        command = [venv / "bin" / "python", "-m", "pip", "install", "--no-cache-dir"]
    else:
        command = ["uv", "pip", "install", "--no-cache", "--python", venv]
    run(*command, "--index-url", url, what, **ALONE)


def said(venv: Path) -> list[object]:
    found: list[object] = json.loads(run(venv / "bin" / "python", "-c", ASK).stdout)
    return found


def files(venv: Path) -> set[str]:
    return {
        str(path.relative_to(venv)) for path in venv.rglob("*") if path.suffix != ".pyc" and path.name != "__pycache__"
    }
