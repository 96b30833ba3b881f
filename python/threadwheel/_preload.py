"""Imports the extension module, helping the system to find TBB where the library's own search path does not.

The search path covers what installers do with a plain or virtual environment. It cannot cover an editable install,
or TBB in another prefix; there the library is looked up through its package's metadata and loaded first.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType

TBB = "libtbb.so.12"
INSTALL_TBB = "pip install 'tbb>=2021.13'"


def find_tbb() -> str | None:
    """Return the path of the installed tbb package's library, or None."""
    import importlib.metadata

    try:
        files = importlib.metadata.files("tbb") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = (os.path.realpath(file.locate()) for file in files if file.name == TBB)
    return next((path for path in paths if os.path.exists(path)), None)


def load() -> ModuleType:
    """Import and return threadwheel._core. Raises ImportError that names the missing package."""
    try:
        return importlib.import_module("threadwheel._core")
    except ImportError as error:
        if TBB not in str(error):
            raise
        path = find_tbb()
        if path is None:
            raise ImportError(
                f"threadwheel: this wheel runs on TBB and {TBB} was not found; {INSTALL_TBB}", name="threadwheel"
            ) from error
    import ctypes

    ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    return importlib.import_module("threadwheel._core")
