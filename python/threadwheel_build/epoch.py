"""The time that a release carries: SOURCE_DATE_EPOCH where it is set, else that of the commit it is made from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .errors import BuildError

VARIABLE = "SOURCE_DATE_EPOCH"
_REMEDY = f"commit, or set {VARIABLE} to the seconds since 1970 that the release shall carry"


def source_epoch(project: Path, inputs: tuple[str, ...] = ()) -> int:
    """Seconds since 1970; `inputs` (all files, unless given) must be as they were committed.

    Raises BuildError when there is no commit, or when files differ from it: two releases of one time
    would not be the same.
    """
    said = os.environ.get(VARIABLE)
    if said is not None:
        if not (said.isascii() and said.isdigit()):
            raise BuildError(f"${VARIABLE}: is {said!r}; it takes whole seconds since 1970, or unset it")
        return int(said)
    if changed := _git(project, "status", "--porcelain", "--", *inputs).splitlines():
        raise BuildError(f"{project.resolve()}: {changed[0][3:]} is not as it was committed; {_REMEDY}")
    return int(_git(project, "log", "-1", "--format=%ct"))


def _git(project: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=project, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise BuildError(f"git: is not installed; {_REMEDY}") from None
    except subprocess.CalledProcessError as err:
        why = err.stderr.strip().splitlines()[-1:] or [f"git failed with exit code {err.returncode}"]
        raise BuildError(f"{project.resolve()}: has no commit to take the time from: {why[0]}; {_REMEDY}") from None
    return done.stdout.rstrip()
