"""What it means that several threading runtimes are in one process, and the line that cures it.

The verdict is "mixed" when there is a finding of severity "error" or "warning", otherwise "ok":

* error: two different OpenMP runtimes (GNU beside LLVM's or Intel's), or OpenMP and TBB both used by threadwheel's own
  libraries. Programs hang, abort or get slow by a factor.
* warning: two copies of one runtime, or OpenMP beside TBB where one of the two is threadwheel's: two pools for the
  same cores.
* note: everything that is worth knowing and is nobody's mistake, such as a pool of OpenBLAS.

A runtime that a preloaded one answers for has no callers and does not count. Calls that another package redirects in
other ways (a runtime opened with RTLD_GLOBAL, dlmopen) are not seen: such a runtime counts.

An import warns of errors only: `info` is for whoever asks.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from threadwheel._process import LIBRARY, Runtime

OPENMP, TBB = "openmp", "tbb"
# What MKL's dispatcher takes for the runtime of a family.
MKL_LAYERS = {"OMP": "GNU", "TBB": "TBB"}


class Finding(NamedTuple):
    severity: str  # "error", "warning" or "note"
    message: str
    cure: str | None


def verdict(findings: list[Finding]) -> str:
    """Return "mixed" or "ok"."""
    return "mixed" if any(finding.severity in ("error", "warning") for finding in findings) else "ok"


def problems(found: list[Runtime], table: dict[str, Any], build: dict[str, Any]) -> list[Finding]:
    """Return the errors and warnings, errors first."""
    active = [runtime for runtime in found if runtime.kind != LIBRARY and runtime.bypassed_by is None]
    own = {runtime.kind for runtime in active if runtime.is_ours}
    kinds = {runtime.kind for runtime in active}
    findings = []
    if len({runtime.name for runtime in active if runtime.kind == OPENMP}) > 1:
        findings.append(_two_openmp([runtime for runtime in active if runtime.kind == OPENMP], found, build))
    if own == {OPENMP, TBB}:
        cure = f"pip install --force-reinstall --no-deps 'threadwheel==={_version(table, build, build['family'])}'"
        message = "OpenMP and TBB are both used by threadwheel's own libraries: "
        findings.append(Finding("error", message + _listed(active), cure))
    findings += _copies(active)
    if own != kinds and len(kinds) == 2 and len(own) == 1:
        others = [runtime for runtime in active if not runtime.is_ours]
        chosen_by_mkl = _is_chosen_by_mkl(others, found)
        cure = _mkl_layer(build) if chosen_by_mkl else _other_wheel(others, table, build)
        message = f"OpenMP beside TBB, and threadwheel runs on {build['family']}: "
        findings.append(Finding("warning", message + _listed(active), cure))
    return findings


def _two_openmp(openmp: list[Runtime], found: list[Runtime], build: dict[str, Any]) -> Finding:
    intel = [runtime for runtime in openmp if runtime.name == "llvm-openmp"]
    universal = next((runtime for runtime in intel if "GOMP_parallel" in runtime.defined), None)
    if _is_chosen_by_mkl(intel, found):
        cure = _mkl_layer(build)
    elif universal is not None:
        cure = f"LD_PRELOAD={universal.file}"  # it has the entry points of GNU's runtime
    else:
        cure = f"keep one out of this process: no setting unites them, {intel[0].file} lacks GNU's entry points"
    return Finding("error", f"two different OpenMP runtimes: {_listed(openmp)}", cure)


def _is_chosen_by_mkl(runtimes: list[Runtime], found: list[Runtime]) -> bool:
    """Whether libmkl_rt is there and nobody needs these: then its choice of a threading layer has opened them."""
    is_there = any("MKL_Set_Threading_Layer" in runtime.defined for runtime in found)
    return is_there and all(runtime.loaded_by == "dlopen" for runtime in runtimes)


def _mkl_layer(build: dict[str, Any]) -> str:
    """The layer on the runtime of this build. MKL ends the process if it cannot find that, so it is mapped first."""
    family = build["family"]
    if family in MKL_LAYERS:
        return f"import threadwheel first, with MKL_THREADING_LAYER={MKL_LAYERS[family]}"
    return "MKL_THREADING_LAYER=GNU"


def _copies(active: list[Runtime]) -> list[Finding]:
    findings = []
    for name in dict.fromkeys(runtime.name for runtime in active):
        copies = [runtime for runtime in active if runtime.name == name]
        if len(copies) > 1:
            ours = next((runtime for runtime in copies if runtime.is_called), copies[0])
            message = f"{len(copies)} copies of {ours.title}: {', '.join(map(_where, copies))}"
            findings.append(Finding("warning", message, f"LD_PRELOAD={ours.file}"))
    return findings


def notes(found: list[Runtime], described: list[dict[str, Any]]) -> list[Finding]:
    """Return what is no problem by itself; `described` has the thread counts of `found`."""
    findings = []
    is_native = not any(runtime.is_called for runtime in found if runtime.kind != LIBRARY)
    for runtime, facts in zip(found, described, strict=True):
        where = f"{runtime.title} ({runtime.file})"
        if runtime.bypassed_by is not None:
            findings.append(Finding("note", f"{where} gets no calls: {runtime.bypassed_by} was preloaded", None))
        elif runtime.kind != LIBRARY and is_native:
            findings.append(Finding("note", f"{where} has threads of its own beside threadwheel's pool", None))
        variable = runtime.row.get("own-threads-variable")
        if variable and (facts["num_threads"] or 0) > 1 and facts["mode"] in (None, "pthreads"):
            message = f"{where} has {facts['num_threads']} threads of its own beside threadwheel's"
            findings.append(Finding("note", message, f"{variable}=1"))
    return findings


def _listed(found: list[Runtime]) -> str:
    return ", ".join(f"{runtime.title} {_where(runtime)}" for runtime in found)


def _where(runtime: Runtime) -> str:
    return f"{runtime.file} ({_origin(runtime)})"


def _origin(runtime: Runtime) -> str:
    if not runtime.needed_by:
        return f"loaded by {runtime.loaded_by}"
    more = f" and {len(runtime.needed_by) - 1} more" if len(runtime.needed_by) > 1 else ""
    return f"needed by {runtime.needed_by[0]}{more}"


def _other_wheel(others: list[Runtime], table: dict[str, Any], build: dict[str, Any]) -> str:
    """The wheel that fits the others: of the family that would share their runtime, else the one without any."""
    names = {runtime.name for runtime in others}
    shared = len(others) == 1 and os.path.basename(others[0].file) in others[0].row["shared-as"]
    fits = [family for family, row in table["families"].items() if shared and set(row["runtimes"]) == names]
    without = [family for family, row in table["families"].items() if not row["runtimes"]]
    return f"pip install 'threadwheel==={_version(table, build, (fits + without)[0])}'"


def _version(table: dict[str, Any], build: dict[str, Any], family: str) -> str:
    """The version of the wheel of a family; of this very build for its own."""
    if family == build["family"]:
        label = None if build["default"] else build["label"]
    else:
        label = table["families"][family]["version_label"]
    return str(build["version"]) + (f"+{label}" if label else "")
