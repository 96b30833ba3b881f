"""A process ends well whatever its daemon threads are doing."""

from __future__ import annotations

import pytest
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
