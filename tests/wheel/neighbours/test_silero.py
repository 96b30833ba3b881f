"""A real model of many users: silero-vad's archive, as its package brings it, beside torch's results."""

from __future__ import annotations

import json
import subprocess

import pytest
from conftest import ROOT, Neighbours, environment, install

GOLDENS = ROOT / "tests" / "data" / "torchscript" / "silero_vad.npz"

CODE = """
import importlib.util, json, sys
import numpy as np, threadwheel as tw

package = importlib.util.find_spec("silero_vad").submodule_search_locations[0]
model = tw.jit.load(package + "/data/silero_vad.jit")
rng = np.random.default_rng(0)
noise = lambda samples: tw.from_numpy((rng.standard_normal((1, samples)) * 0.1).astype("f4"))
results = {}
for rate, samples in ((16000, 512), (8000, 256)):
    model.reset_states()
    results[f"stream_{rate}"] = np.concatenate([np.asarray(model(noise(samples), rate)) for _ in range(6)])
results["batch_16000"] = np.asarray(model.audio_forward(noise(32000), 16000))
expected = np.load(sys.argv[1])
print(json.dumps({name: float(np.abs(results[name] - expected[name]).max()) for name in expected}))
"""


@pytest.fixture(scope="session")
def package(neighbours: Neighbours) -> Neighbours:
    python = neighbours.folder / "bin" / "python"
    install("uv", "pip", "install", "--python", python, "--no-deps", "silero-vad==6.2.3")  # without torch
    return neighbours


def test_silero_vad_gives_torch_s_results(package: Neighbours) -> None:
    command = [package.folder / "bin" / "python", "-c", CODE, GOLDENS]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    differences = json.loads(done.stdout)
    assert set(differences) == {"stream_16000", "stream_8000", "batch_16000"}
    assert max(differences.values()) < 1e-5  # of probabilities; measured: 3e-7
