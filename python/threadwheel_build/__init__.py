"""Build one wheel per threading backend from one option table, and refuse mixed builds.

This package is the planner, the PEP 517/660 build backend (`build-backend = "threadwheel_build"`) and
the `threadwheel_build` command. Standard library only; it reads configs/ of the project it runs in.
"""

__version__ = "0.1.0"

# The hooks are real functions with lazy imports: front ends probe for them before the build engine
# is installed.
from .hooks import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]
