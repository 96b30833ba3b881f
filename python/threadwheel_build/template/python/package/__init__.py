"""One wheel per threading backend."""

import json
from typing import Any

from ._core import build_info as _build_info
from ._core import sum_of_squares

__all__ = ["build_info", "sum_of_squares"]


def build_info() -> Any:
    """What was compiled in: version, label, family, options, libraries, compiler."""
    return json.loads(_build_info())
