"""The figures of the builder and of an installed wheel, as a table with the machine named.

Run through `python3 noxfile.py -s figures`: it builds what is stale, installs each release wheel into a
fresh environment, and prints what is measured beside what is wanted. Nothing here fails a build.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUILDER = {**os.environ, "PYTHONPATH": str(ROOT / "python")}

# numpy is imported first and not counted; the process has read the files once before.
IMPORT = """
import sys, time
def rss_mb():
    return int(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')).split()[1]) / 1024
import numpy
before, started = rss_mb(), time.perf_counter()
import threadwheel
print(time.perf_counter() - started, rss_mb() - before)
"""
ALONE = "import threadwheel; print(int(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')).split()[1]) / 1024)"


def output(*command: str | Path, **extra: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | extra
    return subprocess.run([str(c) for c in command], env=environment, check=True, capture_output=True, text=True).stdout


def machine() -> str:
    model = next(
        (x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x), ""
    )
    return f"{model}, {os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}"


def plan_seconds() -> float:
    """Median of 10 runs of `python -m threadwheel_build plan`, the process and all."""
    times = []
    for _ in range(10):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "threadwheel_build", "plan"], cwd=ROOT, env=BUILDER, check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def hook_seconds() -> float:
    """Median of 10 refusals in the first hook, measured inside the process of a front end."""
    code = (
        "import time, sys, io, contextlib; t = time.perf_counter()\n"
        "import threadwheel_build as b\n"
        "try:\n"
        "    with contextlib.redirect_stderr(io.StringIO()):\n"
        "        b.get_requires_for_build_wheel({'cmake.define.ATEN_THREADING': 'TBB'})\n"
        "except SystemExit: print(time.perf_counter() - t)"
    )
    runs = [float(subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=BUILDER, check=True, capture_output=True, text=True).stdout) for _ in range(10)]  # fmt: skip
    return statistics.median(runs)


def wheel_rows(stamp: dict[str, Any]) -> list[tuple[str, str, str]]:
    wheel, name = Path(stamp["wheel"]), stamp["variant"]
    with zipfile.ZipFile(wheel) as archive:
        installed = sum(member.file_size for member in archive.infolist())
    with tempfile.TemporaryDirectory() as folder:
        output("uv", "venv", "-q", "--python", sys.executable, f"{folder}/v")
        python = Path(folder, "v", "bin", "python")
        output("uv", "pip", "install", "-q", "--python", python, wheel)
        runs = [[float(x) for x in output(python, "-c", IMPORT).split()] for _ in range(11)][1:]
        alone = float(output(python, "-c", ALONE))
    misses = stamp["cache"]["misses"] if stamp["cache"] else None
    return [
        (f"{name}: wheel", f"{wheel.stat().st_size / 1e6:.1f} MB", "<= 30 MB"),
        (f"{name}: installed", f"{installed / 1e6:.1f} MB", "<= 120 MB"),
        (
            f"{name}: import threadwheel, median of 10",
            f"{statistics.median(r[0] for r in runs) * 1e3:.1f} ms",
            "<= 100 ms",
        ),
        (f"{name}: resident, import alone", f"{alone:.1f} MB", "<= 60 MB"),
        (f"{name}: resident, added to numpy's", f"{statistics.median(r[1] for r in runs):.1f} MB", ""),
        (f"{name}: last build", f"{stamp['seconds']:.0f} s", "all together <= 900 s"),
        (f"{name}: C++ files compiled in the last build", str(misses), "<= 3 for the second and later wheels"),
    ]


def main(variants: list[str]) -> int:
    stamps = json.loads(subprocess.run([sys.executable, "-m", "threadwheel_build", "wheel", "--show", "--json", *variants], cwd=ROOT, env=BUILDER, check=True, capture_output=True, text=True).stdout)  # fmt: skip
    rows = [("threadwheel_build plan, median of 10", f"{plan_seconds() * 1e3:.0f} ms", "<= 100 ms")]
    rows += [("a refusal in the first hook, median of 10", f"{hook_seconds() * 1e3:.0f} ms", "<= 300 ms")]
    for stamp in stamps:
        rows += wheel_rows(stamp)
    print(f"{machine()}\n\n| figure | measured | wanted |\n| --- | --- | --- |")
    print("\n".join(f"| {name} | {value} | {wanted} |" for name, value, wanted in rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
