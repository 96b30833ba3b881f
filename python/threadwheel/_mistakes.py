"""A user's mistakes, as the commands tell them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class CommandError(Exception):
    """A user's mistake: one message, exit code 2."""


def reason(error: Exception) -> str:
    """What an exception says, for those who do not read Python."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


@contextmanager
def blamed_on(source: str = "", advice: str = "") -> Iterator[None]:
    """Make what fails inside a mistake in `source`: files and programs that users bring may raise anything."""
    try:
        yield
    except CommandError:
        raise
    except Exception as error:
        raise CommandError(
            f"{source}{': ' if source else ''}{reason(error)}{'; ' if advice else ''}{advice}"
        ) from error
