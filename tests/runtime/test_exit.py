"""A process ends well whatever its daemon threads are doing."""

from __future__ import annotations

from pathlib import Path

import pytest
from archives import dict_of, instance, records, zipped
from conftest import RunPython
from goldens import DATA

PRELUDE = """
import threading, time
import threadwheel as tw

def daemon(work):
    started = threading.Event()
    def run():
        while True:
            work()
            started.set()
    threading.Thread(target=run, daemon=True).start()
    started.wait()

x = tw.ones(300, 300)
"""

ZOO = DATA / "zoo"
WORK = {
    "a long op": "daemon(lambda: tw.mm(x, x))",
    "a short op": "y = tw.ones(2)\ndaemon(lambda: y + y)",
    "a program": f"m = tw.jit.load({str(ZOO / 'mlp_script.pt')!r})\nz = tw.ones(1, 64)\ndaemon(lambda: m(z))",
    "a future": f"f = tw.jit.load({str(ZOO / 'mlp_script.pt')!r})\nz = tw.ones(1, 64)\n"
    "daemon(lambda: tw.jit.wait(tw.jit.fork(f, z)))",
    "a callback": f"f = tw.jit.load({str(ZOO / 'mlp_script.pt')!r})\nz = tw.ones(1, 64)\n"
    "daemon(lambda: tw.jit.fork(f, z).then(lambda done: done.value()).wait())",
}


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("threads", (1, 4))
def test_daemon_threads_do_not_spoil_the_exit(run_python: RunPython, work: str, threads: int) -> None:
    code = PRELUDE + f"for _ in range({threads}):\n" + "".join(f"    {line}\n" for line in WORK[work].splitlines())
    for _ in range(3):
        done = run_python(code + "time.sleep(0.2)\n", check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_daemon_threads_outlive_the_tables_of_the_libraries(run_python: RunPython, tmp_path: Path) -> None:
    """A handler that was registered first runs last: while it sleeps, those of the libraries have run."""
    loop = (
        "class M(Module):\n  def forward(self: __torch__.M, x: Tensor, w: Tensor) -> Tensor:\n    y = x\n"
        "    for i in range(1000000000):\n      y = torch.fft_fft(torch.conv2d(x, w))\n    return y\n"
    )
    model = instance("__torch__.M", dict_of())
    (tmp_path / "m.pt").write_bytes(zipped(records(model) | {"code/__torch__.py": loop.encode()}))
    code = (
        "import ctypes, threading, time\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.__cxa_atexit(libc.usleep, ctypes.c_void_p(300_000), None)\n"
        "import threadwheel as tw\n"
        f"m, x, w = tw.jit.load({str(tmp_path / 'm.pt')!r}), tw.ones(1, 16, 32, 32), tw.ones(16, 16, 3, 3)\n"
        "for _ in range(2):\n"
        "    threading.Thread(target=lambda: m(x, w), daemon=True).start()\n"
        "time.sleep(0.3)\n"
    )
    done = run_python(code, check=False)
    assert (done.returncode, done.stderr) == (0, "")
