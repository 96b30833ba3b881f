"""The command line: `threadwheel info` and its like, `python -m threadwheel`, and the parallel_info program."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import sys
from typing import Any, NoReturn

from threadwheel import __config__, __version__, _models, _preload
from threadwheel._mistakes import CommandError, reason


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


def info(options: argparse.Namespace) -> int:
    if problem := import_modules(options.modules):
        options.refuse(problem)
    return print_info(options.json)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line. `info` is what it does when nothing is asked."""
    parser = argparse.ArgumentParser(prog="threadwheel", description="CPU threading runtime, one wheel per backend")
    parser.add_argument("--version", action="version", version=f"threadwheel {__version__}")
    parser.set_defaults(work=info, modules=[], json=False)
    commands = parser.add_subparsers(title="commands", dest="command")
    command = commands.add_parser(
        "info",
        help="print threads, backend, build and the threading runtimes of the process",
        description="Print threads, backend, build, and the threading runtimes of the process with a verdict.",
        epilog="exit code: 0 ok; 1 the process mixes threading runtimes; 2 the command cannot be carried out",
    )
    command.add_argument("--json", action="store_true", help="print all of it as JSON")
    command.add_argument(
        "--import",
        dest="modules",
        metavar="MODULE",
        action="append",
        default=[],
        help="import MODULE first, after threadwheel itself; may be said again, the order counts",
    )
    command.set_defaults(refuse=command.error)
    _models.add_commands(commands)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code. What stops a command is told here, in one message.

    The codes are 2 for a mistake of the user and, as shells have them, 130 for Ctrl-C and 141 for a reader that left.
    """
    escape_characters()
    options = argparse.Namespace(command="info")  # filled while it is parsed: messages name the command
    try:
        try:
            make_parser().parse_args(arguments, options)
            code: int = options.work(options)
            return code
        finally:
            print(end="", flush=True)  # here, where it can be told that the output goes nowhere
    except CommandError as error:
        problem = str(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        forget_output()
        return 141
    except OSError as error:
        forget_output()
        problem = f"{error.filename or 'standard output'}: {reason(error)}; make room or write elsewhere"
    print(f"threadwheel {options.command}: {problem}", file=sys.stderr)
    return 2


def escape_characters() -> None:
    """Let names be printed that the locale cannot show, as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def forget_output() -> None:
    """Give what is still buffered for standard output to nobody: Python would try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
