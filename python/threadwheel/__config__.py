"""What this build is, what this process runs on, and the check that the two agree."""

from __future__ import annotations

import os
from typing import Any

from threadwheel import _core, _process

POLICY = "THREADWHEEL_MIXED_RUNTIMES"
POLICIES = ("error", "warn", "ignore")


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


def check_process(build: dict[str, Any]) -> None:
    """Warn if this process has two OpenMP runtimes, or ours uses OpenMP and TBB; `threadwheel info` says more.

    THREADWHEEL_MIXED_RUNTIMES=error raises ImportError instead, =ignore does not look.
    """
    policy = os.environ.get(POLICY, "warn")
    if policy not in POLICIES:
        raise ImportError(f"threadwheel: {POLICY} is {policy!r}; expected {', '.join(POLICIES)}")
    if policy == "ignore":
        return
    table = _process.load_table()
    process = _process.Process(table)
    if process.num_schedulers() < 2:
        return
    from threadwheel import _verdict

    findings = _verdict.problems(process.runtimes(), table, build)
    errors = [f"{finding.message}; cure: {finding.cure}" for finding in findings if finding.severity == "error"]
    if not errors:
        return
    text = f"threadwheel: {'; '.join(errors)}; {POLICY}=ignore silences this"
    if policy == "error":
        raise ImportError(text)
    import warnings

    warnings.warn(text, RuntimeWarning, stacklevel=3)


def describe(info: Any) -> str:
    """Return a build's version and label in a few characters, for messages."""
    if not isinstance(info, dict):
        return "unknown"
    return f"{info.get('version')} {info.get('label')}"


def parallel_info() -> str:
    """Return the text about counts, libraries, environment and backend; PyTorch's, line for line."""
    text: str = _core.parallel_info()
    return text


def process_info() -> dict[str, Any]:
    """Return everything that `threadwheel info --json` prints."""
    from threadwheel import _verdict

    build, table = build_info(), _process.load_table()
    text = parallel_info()  # settles the counts that the runtimes are asked for
    found = _process.Process(table).runtimes()
    described = _process.describe(found)
    findings = _verdict.problems(found, table, build) + _verdict.notes(found, described)
    return {
        "parallel_info": text,
        "counts": _core.describe_counts(),
        "backend": _core.describe_backend(),
        "build": build,
        "os_threads": len(os.listdir("/proc/self/task")),
        "runtimes": described,
        "findings": [finding._asdict() for finding in findings],
        "verdict": _verdict.verdict(findings),
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
