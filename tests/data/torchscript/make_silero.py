"""Makes silero_vad.npz: what torch 2.13 gives for the package silero-vad 6.2.3.

`python make_silero.py PATH_OF_silero_vad.jit`, with torch installed. The inputs come from numpy's generator of seed 0,
0.1 times normal numbers: six chunks of 512 at 16 kHz, six of 256 at 8 kHz, then two seconds at 16 kHz.
"""

import sys
from pathlib import Path

import numpy as np
import torch


def main(path: str) -> None:
    model = torch.jit.load(path)
    rng = np.random.default_rng(0)

    def noise(samples: int) -> torch.Tensor:
        return torch.from_numpy((rng.standard_normal((1, samples)) * 0.1).astype("f4"))

    results = {}
    with torch.no_grad():
        for rate, samples in ((16000, 512), (8000, 256)):
            model.reset_states()
            results[f"stream_{rate}"] = np.concatenate([model(noise(samples), rate).numpy() for _ in range(6)])
        results["batch_16000"] = model.audio_forward(noise(32000), 16000).numpy()
    np.savez(Path(__file__).with_name("silero_vad.npz"), **results)


if __name__ == "__main__":
    main(sys.argv[1])
