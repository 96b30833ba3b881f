"""What this build is, what this process runs on, and the check that the two agree."""

from __future__ import annotations

import os
from typing import Any

from threadwheel import _core

# File name prefixes of the threading runtimes and of the libraries that bring one, and what they are called.
RUNTIMES = {
    "libgomp": "GNU OpenMP",
    "libiomp5": "Intel OpenMP",
    "libomp": "LLVM OpenMP",
    "libtbb.": "oneTBB",
    "libthreadwheel_dnnl": "oneDNN of threadwheel",
    "libdnnl": "oneDNN of another package",
    "libmkl_rt": "MKL of another package",
    "libopenblas": "OpenBLAS",
    "libscipy_openblas": "OpenBLAS",
}


def package_dir() -> str:
    """Return the directory of the extension module: an editable install has it apart from the Python files."""
    return os.path.dirname(os.path.abspath(_core.__file__))


def build_info() -> dict[str, Any]:
    """Return what was compiled in: version, label, family, options, libraries, compiler."""
    import json

    info: dict[str, Any] = json.loads(_core.build_info_json())
    return info


def check_build() -> dict[str, Any]:
    """Return the build info after comparing it with build_info.json and with the oneDNN that answers.

    Raises ImportError: a file of another wheel was left behind, or another package's oneDNN was loaded in the place
    of ours; its threading runtime is not the one of this build.
    """
    import json

    info = build_info()
    path = os.path.join(package_dir(), "build_info.json")
    try:
        with open(path, encoding="utf-8") as file:
            stated = json.load(file)
    except (OSError, ValueError) as error:
        raise ImportError(f"threadwheel: {path} cannot be read ({error}); reinstall threadwheel") from error
    if stated != info:
        raise ImportError(
            f"threadwheel: {path} is of build {describe(stated)} and the library is of build {describe(info)}; "
            "files of two wheels are mixed, reinstall threadwheel"
        )
    runtime = _core.dnn_runtime()
    if runtime and runtime != info["family"]:
        raise ImportError(
            f"threadwheel: the oneDNN in this process runs on {runtime} and this build on {info['family']}; another "
            "package has loaded its oneDNN for the whole process, import threadwheel first"
        )
    return info


def describe(info: Any) -> str:
    """Return a build's version and label in a few characters, for messages."""
    if not isinstance(info, dict):
        return "unknown"
    return f"{info.get('version')} {info.get('label')}"


def loaded_runtimes() -> list[dict[str, str]]:
    """Return the threading runtimes mapped into this process: {"name", "file"}, by file name."""
    found = {}
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            if len(fields) < 6:
                continue
            file = fields[5].rstrip("\n")
            base = os.path.basename(file)
            for prefix, name in RUNTIMES.items():
                if base.startswith(prefix) and ".so" in base:
                    found[file] = name
    return [{"name": name, "file": file} for file, name in sorted(found.items())]


def parallel_info() -> str:
    """Return the text about counts, libraries, environment and backend; PyTorch's, line for line."""
    text: str = _core.parallel_info()
    return text


def process_info() -> dict[str, Any]:
    """Return everything that `threadwheel info --json` prints."""
    return {
        "parallel_info": parallel_info(),
        "counts": _core.describe_counts(),
        "backend": _core.describe_backend(),
        "build": build_info(),
        "runtimes": loaded_runtimes(),
    }


def show() -> str:
    """Return a table of the build: compiler, options, libraries."""
    info = build_info()
    compiler = info["compiler"]
    rows = [
        ("family", info["family"]),
        ("label", info["label"]),
        ("compiler", f"{compiler['id']} {compiler['version']}"),
        ("kernels", f"{_core.describe_backend()['kernels']}, of x86-64-v4, x86-64-v3, baseline"),
        *((name, value or "-") for name, value in info["options"]["resolved"].items()),  # None: without effect
        *(
            (name, f"{library['title']} {library['version']}")
            for name, library in info["libraries"].items()
            if "version" in library
        ),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name.ljust(width)}  {value}" for name, value in rows]
    return "\n".join([f"{info['name']} {info['version']} built with:", *lines, ""])
