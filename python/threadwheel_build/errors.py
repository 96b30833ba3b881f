"""The exceptions of threadwheel_build; `plan` has the one that carries a refusal.

Every text follows one form: `<where>: <what is wrong, with the value>; <what is allowed or what
to do>`. The command line and the build hooks print the text and leave with the exit code; a user
never sees a traceback of ours for a mistake of theirs.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` without what a terminal would act on or cannot show: names in files come from anywhere."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


class BuildError(Exception):
    """A mistake that a user can mend; `exit_code` is what a command leaves with."""

    exit_code = 2


class AuditError(BuildError):
    """A built wheel contradicts its plan and is not delivered."""

    exit_code = 1


class ElfError(Exception):
    """The bytes are no ELF file that can be read; says where in them it is wrong. Callers name the file."""


class UnsupportedElfError(ElfError):
    """A sound ELF file that is not examined: another word size or byte order."""


class NotLoadedElfError(UnsupportedElfError):
    """An ELF file that no process loads, so that nothing it needs or defines matters."""
