"""The command line: `threadwheel info`, `python -m threadwheel`, and the parallel_info program."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any, NoReturn

from threadwheel import __config__, __version__, _preload


def extended_block(info: dict[str, Any]) -> str:
    """Return the lines that follow the documented text: where the count comes from, the build, what is loaded."""
    counts, backend, build = info["counts"], info["backend"], info["build"]

    def known(value: int | None) -> str:
        return "unknown" if value is None else str(value)

    options = ", ".join(f"{name}={value}" for name, value in build["options"]["resolved"].items() if value)
    lines = [
        "Extended:",
        f"\tnumber of threads : {counts['num_threads']} ({counts['source']})",
        f"\tdetected : {counts['detected']} = min(affinity {counts['affinity']}, "
        f"physical cores {known(counts['physical_cores'])}, "
        f"cgroup quota {'none' if counts['cgroup_quota'] is None else counts['cgroup_quota']})",
        f"\tbackend : {backend['family']}, {backend['runtime']}",
        f"\tkernels : {backend['kernels']}",
        f"\tbuild : {__config__.describe(build)}, {options}",
        "\tloaded threading runtimes :" + ("" if info["runtimes"] else " none"),
        *(f"\t\t{runtime['name']} : {runtime['file']}" for runtime in info["runtimes"]),
    ]
    return "\n".join(lines) + "\n"


def print_info(as_json: bool) -> None:
    info = __config__.process_info()
    if as_json:
        print(json.dumps(info, indent=2))
    else:
        print(info["parallel_info"] + "\n" + extended_block(info), end="")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code. `info` is what it does when nothing is asked."""
    parser = argparse.ArgumentParser(prog="threadwheel", description="CPU threading runtime, one wheel per backend")
    parser.add_argument("--version", action="version", version=f"threadwheel {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command")
    info = commands.add_parser("info", help="print threads, backend, build and what the process has loaded")
    info.add_argument("--json", action="store_true", help="print all of it as JSON")
    options = parser.parse_args(arguments)
    print_info(getattr(options, "json", False))
    return 0


def parallel_info() -> NoReturn:
    """Become the parallel_info program of this package."""
    program = os.path.join(__config__.package_dir(), "bin", "parallel_info")
    environment = dict(os.environ)
    tbb = _preload.find_tbb() if "tbb" in __config__.build_info()["libraries"] else None
    if tbb is not None:  # for installs where the library's own search path does not reach it
        paths = [environment.get("LD_LIBRARY_PATH"), os.path.dirname(tbb)]
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(path for path in paths if path)
    os.execve(program, [program, *sys.argv[1:]], environment)


if __name__ == "__main__":
    sys.exit(main())
