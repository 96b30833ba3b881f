"""CPU threading runtime: one parallel layer and its ops, built on OpenMP, TBB or a native pool.

One pool per process serves every op; `set_num_threads` sizes it for all threads, `with num_threads(n):` for one.
Ops take threadwheel tensors and numpy arrays (without a copy) and return tensors. numpy is imported by those who
ask for its arrays only.

A wrong number of threads is a TypeError unless it is an int (a bool is not), and an ArgumentError, which is both a
ValueError and a RuntimeError, unless it is from 1 to 1024; on every backend.
"""

from __future__ import annotations

from builtins import int as _int  # a dtype has that name here, too
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, TypeGuard

from . import _preload

_preload.load()

from . import __config__, _core, jit, nn, utils  # noqa: E402  (where the system does not find TBB, only after the preload)
from ._core import (  # noqa: E402
    ArgumentError,
    DType,
    Tensor,
    device,
    from_dlpack,
    from_numpy,
    get_num_interop_threads,
    get_num_threads,
    init_num_threads,
    set_num_interop_threads,
    set_num_threads,
)
from ._dtypes import *  # noqa: E402, F403  (all of them are for users)
from ._dtypes import __all__ as _aliases  # noqa: E402
from ._gradients import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled  # noqa: E402
from ._limits import finfo, iinfo  # noqa: E402
from ._printing import set_printoptions  # noqa: E402

if TYPE_CHECKING:
    from ._core import *  # noqa: F403  (ops and dtypes, as the stub has them)

_build = __config__.check_build()
__config__.check_process(_build)
__version__: str = _build["version"]

# Names of dtypes and ops come from the extension's own tables.
globals().update(_core.dtypes)
globals().update(_core.ops)


def is_tensor(obj: object) -> TypeGuard[Tensor]:
    """Return whether the object is a Tensor; an array is not."""
    return isinstance(obj, Tensor)


class num_threads:
    """Override the number of threads for the calling thread within a `with` block. Blocks nest.

    Regions and library calls that this thread enters in the block use at most that many threads, the thread itself
    included. Raises TypeError and ArgumentError as `set_num_threads` does.
    """

    def __init__(self, num_threads: _int) -> None:
        self._num_threads = _core.check_num_threads(num_threads)

    def __enter__(self) -> None:
        _core.enter_num_threads(self._num_threads)

    def __exit__(self, *exception: object) -> None:
        _core.leave_num_threads()


__all__ = [
    "ArgumentError",
    "DType",
    "Tensor",
    "device",
    "e",
    "enable_grad",
    "finfo",
    "from_dlpack",
    "from_numpy",
    "get_num_interop_threads",
    "get_num_threads",
    "iinfo",
    "inf",
    "inference_mode",
    "init_num_threads",
    "is_grad_enabled",
    "is_tensor",
    "jit",
    "nan",
    "nn",
    "no_grad",
    "num_threads",
    "pi",
    "set_grad_enabled",
    "set_num_interop_threads",
    "set_num_threads",
    "set_printoptions",
    "utils",
    *_aliases,
    *_core.dtypes,
    *_core.ops,
]
