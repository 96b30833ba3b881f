"""How tensors are printed: `set_printoptions`."""

from __future__ import annotations

from . import _core

# precision, threshold, edgeitems, linewidth
_PROFILES = {"default": (4, 1000, 3, 80), "short": (2, 1000, 2, 80), "full": (4, 2**62, 3, 80)}


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed, in Python and by programs, as torch does: what is None stays.

    `precision` counts digits behind the point; of more elements than `threshold`, only `edgeitems` at each end of a
    dimension are shown; a line has `linewidth` characters; `profile` is "default", "short" or "full" and sets all of
    these; `sci_mode` says whether numbers have exponents, None that they decide it. Raises ValueError for others.
    """
    values = _core.format_options()[:4]
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: profile is {profile!r}; expected {', '.join(map(repr, _PROFILES))}")
        values = _PROFILES[profile]
    _core.set_format_options(
        values[0] if precision is None else precision,
        values[1] if threshold is None else threshold,
        values[2] if edgeitems is None else edgeitems,
        values[3] if linewidth is None else linewidth,
        sci_mode,
    )
