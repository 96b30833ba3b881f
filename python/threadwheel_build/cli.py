"""The `threadwheel_build` command.

Each subcommand is one function that prints and returns an exit code: 0 fine, 1 a finding, 2 a mistake
in what was asked. Modules load when their subcommand runs, so `plan` stays quick.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .errors import BuildError, printable
from .options import OptionTable, load_table
from .plan import RefusedError

if TYPE_CHECKING:
    from .sources import Heard

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

# Subcommand -> the module with its `add_arguments` and `run`, and its line of help.
_MODULES = {
    "init": ("init", "write a new project that builds one wheel per threading backend"),
    "audit": ("audit", "which threading runtimes wheels, folders and libraries need or define"),
    "wheel": ("wheelhouse", "build, audit and deliver the wheels of variants that are not up to date"),
    "repair": ("repair", "make a built wheel one for release: manylinux tag, bill of materials, same bytes every time"),
    "release": ("release", "build and repair the wheels of the release variants"),
    "index": ("index", "make a static package index per backend, and a page to choose one"),
}


def _print_json(data: object) -> None:
    import json

    print(json.dumps(data, indent=2))


def _settings(pairs: list[str]) -> dict[str, str | list[str]]:
    """`-C key=value` pairs as a build front end hands them over: a repeated key becomes a list."""
    settings: dict[str, str | list[str]] = {}
    for pair in pairs:
        key, found, value = pair.partition("=")
        if not found:
            raise BuildError(f"-C {pair}: has no value; write -C KEY=VALUE")
        old = settings.get(key)
        settings[key] = value if old is None else [*(old if isinstance(old, list) else [old]), value]
    return settings


def _hear(table: OptionTable, args: argparse.Namespace) -> Heard:
    from . import sources

    heard = sources.Heard(road="cmake" if args.define else "config-settings")
    if args.cmake_input:
        sources.hear_cmake(table, heard, args.cmake_input)
        sources.hear_environment(table, heard, os.environ, front_end=False)
        return heard
    settings = _settings(args.config_setting)
    sources.hear_config_settings(table, heard, settings)
    for name, value in sources.defines(f"-D{define}" for define in args.define):
        heard.say(name, value, "-D")
    sources.hear_environment(table, heard, os.environ)
    sources.hear_build_dir(table, heard, settings, os.environ)
    sources.hear_sdist(table, heard)
    return heard


def _plan(args: argparse.Namespace) -> int:
    from . import decision, report

    table = load_table(args.project)
    heard = _hear(table, args)
    said = [s.name for s in heard.sayings if not table.passes(s.name)]
    try:
        plan = decision.decide(table, heard)
    except RefusedError as err:
        if args.format == "cmake":
            print(report.cmake_sets({"PLAN_FORGET": ";".join(said)}))
        if args.format != "json":
            raise
        _print_json(report.refusal_data(err.refusal))
        return err.exit_code
    if args.format == "json":
        _print_json(report.plan_data(plan))
    else:
        print(report.plan_cmake(plan, args.name, said) if args.format == "cmake" else report.plan_text(plan))
    return 0


def _matrix(args: argparse.Namespace) -> int:
    import json

    from . import matrix, plan, report

    table = load_table(args.project)
    if args.all:
        verdicts = [matrix.verdict(table, said) for said in plan.cross_product(table)]
        if args.format == "json":
            print("[\n" + ",\n".join(json.dumps(v) for v in verdicts) + "\n]")
        else:
            rows = [
                (
                    " ".join(f"{k}={x}" for k, x in v["said"].items()) or "-",
                    v.get("label", "refused"),
                    " ".join(v["rules"]) or "-",
                )
                for v in verdicts
            ]
            print(report.table(("said", "verdict", "rules"), rows))
        return 0
    jobs = matrix.jobs(table)
    if args.format == "table":
        print(
            report.table(
                ("variant", "label", "release", "description"),
                [(j.variant, j.label, "yes" if j.release else "-", j.description) for j in jobs],
            )
        )
    elif args.format == "json":
        _print_json([vars(j) for j in jobs])
    else:
        print(json.dumps({"include": [vars(j) for j in jobs]}))
    return 0


def _add_plan(commands: Commands) -> None:
    plan = commands.add_parser(
        "plan", help="what these options build, and why; exit 2 with every problem when they build nothing"
    )
    plan.add_argument(
        "-C",
        "--config-setting",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="as for pip, build and uv; may be repeated",
    )
    plan.add_argument(
        "-D", "--define", action="append", default=[], metavar="NAME=VALUE", help="as for cmake; may be repeated"
    )
    plan.add_argument("--json", dest="format", action="store_const", const="json", help="print JSON")
    plan.add_argument("--format", choices=("table", "json", "cmake"), default="table", help=argparse.SUPPRESS)
    plan.add_argument("--cmake-input", type=Path, help=argparse.SUPPRESS)
    plan.add_argument("--name", default="", help=argparse.SUPPRESS)
    plan.set_defaults(run=_plan)


def _add_matrix(commands: Commands) -> None:
    matrix = commands.add_parser(
        "matrix", help="the variants as CI jobs, or with --all the verdict of every combination"
    )
    matrix.add_argument(
        "--format", choices=("table", "json", "github"), default="table", help="github: one line for a job matrix"
    )
    matrix.add_argument(
        "--all", action="store_true", help="walk the full cross product of all options, left out included"
    )
    matrix.set_defaults(run=_matrix)


class _CmakeDir(argparse.Action):
    """Like argparse's own `version`, which breaks a long line."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(Path(__file__).resolve().parent / "cmake")
        parser.exit()


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="threadwheel_build",
        description="One wheel per threading backend from one option table (configs/ of the current project).",
    )
    parser.add_argument("--version", action="version", version=f"threadwheel_build {__version__}")
    parser.add_argument("--cmake-dir", action=_CmakeDir, nargs=0, help="print where its CMake package is")
    parser.add_argument(
        "--project", type=Path, default=Path(), metavar="DIR", help="the project's folder (default: the current one)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_plan(commands)
    _add_matrix(commands)
    for name, (module_name, description) in _MODULES.items():
        command = commands.add_parser(name, help=description)
        if name in arguments:
            module = importlib.import_module(f".{module_name}", __package__)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    try:
        try:
            arguments = sys.argv[1:] if argv is None else argv
            args = _parser(arguments).parse_args(arguments)
            code: int = args.run(args)
            return code
        finally:
            print(end="", flush=True)  # here, where it can be told that the output goes nowhere
    except BuildError as err:
        print(printable(str(err)), file=sys.stderr)
        return err.exit_code
    except BrokenPipeError:
        _forget_output()
        return 141  # as shells have it; 1 would be a finding
    except OSError as err:
        _forget_output()
        print(
            f"{err.filename or 'threadwheel_build'}: {err.strerror}; make room or choose another folder",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return 130


def _forget_output() -> None:
    """Give what is still buffered for standard output to nobody: Python would try again when it ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
