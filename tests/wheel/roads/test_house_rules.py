"""Adding a parallel backend is one file in parallel/backends/ and its rows in configs/: done here, built and run."""

from __future__ import annotations

from pathlib import Path

from conftest import run

SERIAL_BACKEND = """
#include "parallel/backend.h"

namespace threadwheel::backend {
namespace { int size = 1; }
void run(std::int64_t num_chunks, int, ChunkFunction fn) noexcept {
  for (std::int64_t chunk = num_chunks; chunk-- > 0;) fn(chunk, 0);  // backwards: shows who relies on an order
}
void run_library(int, LibraryFunction fn) noexcept { fn(1); }
bool submit(Work, int) noexcept { return false; }
void resize(int num_threads) { size = num_threads; }
int capacity() noexcept { return size; }
void init_thread(int) noexcept {}
std::vector<int> bound_cpus() { return {}; }
Description describe() { return {"SERIAL", "one thread, backwards", "OpenMP not found\\n", "none"}; }
void fork_prepare(bool) noexcept {}
void fork_parent() noexcept {}
void fork_child(bool) noexcept {}
}  // namespace threadwheel::backend
"""

ROWS = [
    (
        "\n[options.ATEN_THREADING]",
        '\n[families.SERIAL]\nlabel = "serial"\nbackend = "serial"\n\n[options.ATEN_THREADING]',
    ),
    ('TBB = "TBB", NATIVE = "NATIVE" }\ndefault', 'TBB = "TBB", NATIVE = "NATIVE", SERIAL = "SERIAL" }\ndefault'),
    ('NATIVE = "SEQ" }', 'NATIVE = "SEQ", SERIAL = "SEQ" }'),
    ('NATIVE = "OFF" }', 'NATIVE = "OFF", SERIAL = "OFF" }'),
]


def test_a_new_backend_is_one_file_and_its_rows(project: Path, tmp_path: Path) -> None:
    table = project / "configs" / "options.toml"
    text = table.read_text()
    for old, new in ROWS:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    table.write_text(text)
    (project / "native" / "parallel" / "backends" / "serial.cpp").write_text(SERIAL_BACKEND)
    build = project / "build" / "serial"
    run("cmake", "-G", "Ninja", "-S", project / "native", "-B", build, "-DATEN_THREADING=serial", "-DBLAS=BUILTIN")
    run("cmake", "--build", build)
    shown = run(build / "parallel_info").stdout.splitlines()
    assert "ATen parallel backend: one thread, backwards" in shown
    refused = run("cmake", "-S", project / "native", "-B", tmp_path / "c", "-DATEN_THREADING=serial", "-DMKL_THREADING=OMP", ok=False)  # fmt: skip
    assert "mixed SERIAL/OpenMP build" in refused.stderr
