"""Where the C++ side of the installed package is, for those who build extensions against it."""

from __future__ import annotations

import os

from . import __config__

cmake_prefix_path: str = __config__.package_dir()
"""For CMAKE_PREFIX_PATH: `find_package(threadwheel CONFIG)` finds the target `threadwheel::threadwheel` there."""

include_dir: str = os.path.join(cmake_prefix_path, "include")
"""The folder of `<threadwheel/at.h>`, for builds without CMake."""

library_dir: str = os.path.join(cmake_prefix_path, "lib")
"""The folder of libthreadwheel.so. A loaded threadwheel is found without it, by name."""
