"""The commands about programs, as processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from goldens import DATA

MODEL = str(DATA / "zoo" / "mlp_script.pt")
MODEL_SHAPE = "x".join(map(str, np.load(DATA / "zoo" / "mlp_script.npz")["a0"].shape))
EMBEDDING = str(DATA / "zoo" / "textcnn_script.pt")


def threadwheel(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "threadwheel", *arguments], capture_output=True, text=True, timeout=120
    )


def test_run_writes_what_the_program_returns(tmp_path: Path) -> None:
    case = np.load(DATA / "zoo" / "mlp_script.npz")
    np.save(tmp_path / "x.npy", case["a0"])
    done = threadwheel("run", MODEL, "--input", str(tmp_path / "x.npy"), "--output", str(tmp_path / "y.npz"))
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "y.npz")["output"], case["a1"], rtol=1e-4, atol=1e-5)
    assert done.stdout.startswith("output: float32[")


def test_inspect_names_methods_tensors_and_ops() -> None:
    done = threadwheel("inspect", MODEL, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["methods"]["forward"]["ops"]
    assert found["methods"]["forward"]["missing_ops"] == []
    assert any(name.endswith("weight") for name in found["tensors"])
    assert "aten::linear" in threadwheel("inspect", MODEL).stdout
    assert "graph __torch__" in threadwheel("inspect", MODEL, "--graph", "forward").stdout


def test_ops_lists_schemas() -> None:
    done = threadwheel("ops", "--json")
    assert "aten::mm(Tensor self, Tensor mat2) -> Tensor" in json.loads(done.stdout)


def test_bench_prints_a_row_for_each_setting() -> None:
    done = threadwheel(
        *("bench", MODEL, "--input", MODEL_SHAPE, "--threads", "1,2", "--callers", "1,2", "--seconds", "0.05", "--json")
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [(row["threads"], row["callers"]) for row in rows] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert all(row["calls_per_second"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["run", "missing.pt"], "threadwheel run: archive 'missing.pt': cannot open it"),
        (
            ["run", MODEL, "--method", "backward"],
            "threadwheel run: --method backward: there is no such method; choose from",
        ),
        (["inspect", MODEL, "--graph", "backward"], "threadwheel inspect: --graph backward: there is no such method; "),
        (["run", MODEL, "--input", "x.npy"], "threadwheel run: --input x.npy: "),
        (["run", MODEL, "--input", "seven"], "threadwheel run: --input seven: "),
        (["run", MODEL], "argument 'x' is missing"),
        (
            ["run", MODEL, "--input", "1x3:uint16"],
            "--input 1x3:uint16: the dtype uint16 is not supported, only uint8, ",
        ),
        (["run", MODEL, "--input", "1x3xx64"], "--input 1x3xx64: invalid literal for int()"),
        (["bench", MODEL, "--input", "1x3:str"], "--input 1x3:str: the dtype str is not supported, only uint8, "),
        (["run", MODEL, "--output", ""], "argument --output: '' is no name for a .npz file; give something like y.npz"),
        (["run", MODEL, "--output", "y.npy"], "argument --output: 'y.npy' is no name for a .npz file; "),
        (["bench", MODEL, "--threads", "100000"], "argument --threads: '100000' is no list of counts: "),
        (["bench", MODEL, "--callers", "1,0"], "argument --callers: '1,0' is no list of counts: "),
        *(
            (["bench", MODEL, f"--seconds={text}"], f"argument --seconds: '{text}' is no number of seconds; give ")
            for text in ("inf", "nan", "-1", "0", "soon")
        ),
        (["run", "--input", "1", MODEL], "usage: threadwheel run MODEL [--input X ...] "),
        (["run", MODEL, "--input", "1x64", "--input", "9"], "takes 1 arguments, got 2"),
        (["run", MODEL, "--input", "100000x100000x3x64"], "--input 100000x100000x3x64: Unable to allocate"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], text: str) -> None:
    done = threadwheel(*arguments)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_bench_that_cannot_draw_does_not_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ImportError('none here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    done = threadwheel("bench", MODEL, "--input", MODEL_SHAPE, "--seconds", "100", "--plot", "y.svg")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "threadwheel bench: --plot needs matplotlib; pip install matplotlib\n"


@contextmanager
def interruptible(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A command that Ctrl-C reaches, also where the tests run in the background, as which shells start it ignored."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as started:
        try:
            yield started
        finally:
            started.kill()


@pytest.mark.parametrize("callers", ["1", "2"])
def test_ctrl_c_stops_bench_at_once(callers: str) -> None:
    command = [sys.executable, "-m", "threadwheel", "bench", MODEL, "--input", MODEL_SHAPE, "--seconds", "30"]
    with interruptible([*command, "--callers", callers]) as bench:
        assert bench.stderr is not None
        assert bench.stderr.readline() == f"bench: 1 threads, {callers} callers\n"
        time.sleep(0.2)  # into the measurement
        bench.send_signal(signal.SIGINT)
        out, err = bench.communicate(timeout=20)
    assert (bench.returncode, out, err) == (130, "", "")


def test_ctrl_c_stops_run_quietly(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.npy")
    command = [sys.executable, "-m", "threadwheel", "run", MODEL, "--input", str(tmp_path / "x.npy")]
    with interruptible(command) as run, (tmp_path / "x.npy").open("wb"):  # waits until the command reads it
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (130, "", "")


def test_a_reader_that_leaves_ends_a_command_quietly() -> None:
    for arguments in (["ops"], ["ops", "--json"], ["inspect", MODEL, "--json"], ["info", "--json"]):
        reading, writing = os.pipe()
        os.close(reading)
        command = [sys.executable, "-m", "threadwheel", *arguments]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120)
        os.close(writing)
        assert done.returncode == 141, arguments
        assert "rror" not in done.stderr, arguments


@pytest.mark.parametrize("arguments", [["ops"], ["inspect", MODEL], ["ops", "--help"]])
def test_a_full_disk_is_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "threadwheel", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(
        ": standard output: No space left on device; make room or write elsewhere"
    )
    assert "Traceback" not in done.stderr


def test_names_that_the_locale_cannot_show_are_escaped(tmp_path: Path) -> None:
    model = tmp_path / 'a b "é.pt'
    shutil.copy(MODEL, model)
    command = [sys.executable, "-m", "threadwheel", "inspect", str(model)]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    assert 'a b "\\xe9.pt: version' in done.stdout


def test_integers_are_indices_of_any_table() -> None:
    done = threadwheel("run", EMBEDDING, "--input", "4x16:int64")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["run", "bench"])
def test_what_a_program_raises_is_a_message(command: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.full((4, 16), -1))
    done = threadwheel(command, EMBEDDING, "--input", str(tmp_path / "x.npy"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"threadwheel {command}: embedding: index -1 is out of bounds")
    assert "Traceback" not in done.stderr


def test_inputs_of_bfloat16_are_made() -> None:
    done = threadwheel("run", str(DATA / "zoo" / "mlp_bf16.pt"), "--input", "1x64:bfloat16")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("output: bfloat16[")


def test_arrays_of_the_other_byte_order_are_converted(tmp_path: Path) -> None:
    case = np.load(DATA / "zoo" / "mlp_script.npz")
    np.save(tmp_path / "x.npy", case["a0"].astype(">f4"))
    done = threadwheel("run", MODEL, "--input", str(tmp_path / "x.npy"), "--output", str(tmp_path / "y.npz"))
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "y.npz")["output"], case["a1"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros((1, 3), "u2"), "the dtype uint16 is not supported, only uint8, "),
        (np.array(["a"]), "the dtype str32 is not supported, only uint8, "),
        (np.array([None]), "Object arrays cannot be loaded"),
    ],
)
def test_arrays_that_are_not_supported_are_named(array: np.ndarray, text: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    done = threadwheel("run", MODEL, "--input", str(tmp_path / "x.npy"))
    assert done.returncode == 2
    assert f"threadwheel run: --input {tmp_path / 'x.npy'}: {text}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["y.npz", "out.bin"])
def test_run_writes_the_file_that_is_asked_for(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("an older result")
    done = threadwheel("run", MODEL, "--input", MODEL_SHAPE, "--output", str(tmp_path / name))
    assert done.returncode == 0, done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert list(np.load(tmp_path / name)) == ["output"]


@pytest.mark.parametrize("name", ["missing/y.npz", ".", "is a folder"])
def test_run_says_before_the_work_what_it_cannot_write(name: str, tmp_path: Path) -> None:
    (tmp_path / "is a folder").mkdir()
    output = str(tmp_path / name)
    done = threadwheel("run", EMBEDDING, "--input", "1x1:float32", "--output", output)  # it would fail in the program
    assert done.returncode == 2
    assert done.stderr.startswith(f"threadwheel run: --output {output}: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_run_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "y.npz").write_text("an older result")
    done = threadwheel("run", EMBEDDING, "--input", "1x1:float32", "--output", str(tmp_path / "y.npz"))
    assert done.returncode == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["y.npz"]
    assert (tmp_path / "y.npz").read_text() == "an older result"


def test_bfloat16_is_written_as_float32(tmp_path: Path) -> None:
    model, output = str(DATA / "zoo" / "mlp_bf16.pt"), str(tmp_path / "y.npz")
    done = threadwheel("run", model, "--input", "1x64", "--output", output)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("output: bfloat16[")
    assert done.stdout.endswith("], written as float32\n")
    assert np.load(output)["output"].dtype == np.float32
