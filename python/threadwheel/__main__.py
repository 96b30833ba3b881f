"""The command line: `threadwheel info` and its like, `python -m threadwheel`, and the parallel_info program."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from typing import Any, NoReturn

from threadwheel import __config__, __version__, _models, _preload


def known(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def extended_block(info: dict[str, Any]) -> str:
    """Return the lines that follow the documented text: where the count comes from, the build, what is loaded."""
    counts, backend, build = info["counts"], info["backend"], info["build"]
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
        f"\tOS threads : {info['os_threads']} in the process; threadwheel's pools hold up to "
        f"{backend['capacity'] - 1} beside a caller, and {counts['num_interop_threads']} for inter-op tasks",
        "\tthreading runtimes :" + ("" if info["runtimes"] else " none"),
        *(line for runtime in info["runtimes"] for line in runtime_lines(runtime)),
        f"\tverdict : {info['verdict']}",
    ]
    for finding in info["findings"]:
        lines.append(f"\t\t{finding['severity']} : {finding['message']}")
        if finding["cure"]:
            lines.append(f"\t\t\tcure : {finding['cure']}")
    return "\n".join(lines) + "\n"


def runtime_lines(runtime: dict[str, Any]) -> list[str]:
    """Return the lines about one mapped runtime: its file, who brought it in, its threads."""
    shown, more = runtime["needed_by"][:3], len(runtime["needed_by"]) - 3
    origin = ", ".join(shown) + (f" and {more} more" if more > 0 else "") or "nobody"
    loaded = "" if runtime["loaded_by"] == "dependency" else f", loaded by {runtime['loaded_by']}"
    mode = f", {runtime['mode']}" if runtime["mode"] else ""
    bound = "; threadwheel's calls are bound to it" if runtime["is_called"] else ""
    return [
        f"\t\t{runtime['title']} : {runtime['file']}",
        f"\t\t\tneeded by : {origin}{loaded}",
        f"\t\t\tthreads : {known(runtime['num_threads'])}{mode}{bound}",
    ]


def import_modules(names: list[str]) -> str | None:
    """Import `names` in this order. Returns what stopped one of them, in one line."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            return f"--import {name}: {type(error).__name__}: {error}; name a module that this Python can import"
    return None


def print_info(as_json: bool) -> int:
    """Print what `info` tells and return its exit code."""
    info = __config__.process_info()
    if as_json:
        print(json.dumps(info, indent=2))
    else:
        print(info["parallel_info"] + "\n" + extended_block(info), end="")
    return 1 if info["verdict"] == "mixed" else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code. `info` is what it does when nothing is asked."""
    parser = argparse.ArgumentParser(prog="threadwheel", description="CPU threading runtime, one wheel per backend")
    parser.add_argument("--version", action="version", version=f"threadwheel {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command")
    info = commands.add_parser(
        "info",
        help="print threads, backend, build and the threading runtimes of the process",
        description="Print threads, backend, build, and the threading runtimes of the process with a verdict.",
        epilog="exit code: 0 ok; 1 the process mixes threading runtimes; 2 the command cannot be carried out",
    )
    info.add_argument("--json", action="store_true", help="print all of it as JSON")
    info.add_argument(
        "--import",
        dest="modules",
        metavar="MODULE",
        action="append",
        default=[],
        help="import MODULE first, after threadwheel itself; may be said again, the order counts",
    )
    _models.add_commands(commands)
    options = parser.parse_args(arguments)
    if options.command is None:
        return print_info(as_json=False)
    if options.command != "info":
        return carry_out(options)
    if problem := import_modules(options.modules):
        info.error(problem)
    return print_info(options.json)


def carry_out(options: argparse.Namespace) -> int:
    """Run one of the commands about programs; a user's mistake is one line and exit code 2."""
    try:
        code: int = options.work(options)
    except _models.CommandError as error:
        print(f"threadwheel {options.command}: {error}", file=sys.stderr)
        return 2
    return code


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
