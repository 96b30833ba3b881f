"""Signals, linear algebra, sorting and scattering, integers and half precision, quantized networks."""

import io

import torch
from case import Case, Makers, both, frozen, scripted, traced
from torch import Tensor, nn
from torch.nn import functional as F


class Spectrogram(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(16))

    def forward(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        spectrum = torch.stft(wave, 16, 4, 16, self.window, center=True, pad_mode="reflect", return_complex=True)
        magnitude, phase = spectrum.abs(), torch.angle(spectrum)
        louder = torch.polar(magnitude.clamp(max=2.0), phase)
        back = torch.istft(louder, 16, 4, 16, window=self.window, length=wave.size(-1))
        return torch.log10(magnitude.pow(2) + 1e-6), back


class Spectral(nn.Module):
    """A Fourier layer: products with complex weights, two-dimensional transforms."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, 3, 3, 3, dtype=torch.cfloat))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        spectrum = torch.fft.rfft2(x, norm="ortho")
        out = torch.zeros(x.size(0), 3, x.size(2), x.size(3) // 2 + 1, dtype=torch.cfloat)
        out[:, :, :3, :3] = torch.einsum("bixy,ioxy->boxy", spectrum[:, :, :3, :3], self.weight)
        shifted = torch.fft.fftshift(torch.fft.fft(x.to(torch.complex64)).real, dim=-1)
        return torch.fft.irfft2(out, s=(x.size(2), x.size(3)), norm="ortho"), shifted, torch.fft.fftfreq(5)


class LinearAlgebra(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> list[Tensor]:
        spd = a @ a.mT + torch.eye(a.size(-1))
        lower = torch.linalg.cholesky(spd)
        values, vectors = torch.linalg.eigh(spd)
        u, s, v = torch.linalg.svd(a, full_matrices=False)
        return [
            torch.linalg.solve(spd, b),
            torch.linalg.inv(spd),
            torch.linalg.det(spd),
            torch.cholesky_solve(b, lower),
            torch.linalg.norm(a),
            torch.linalg.matrix_norm(a, ord=2),
            torch.linalg.vector_norm(a, dim=-1),
            values,
            vectors @ torch.diag_embed(values) @ vectors.mT,
            s,
            u @ torch.diag_embed(s) @ v,
            torch.linalg.pinv(a),
            torch.linalg.matrix_power(a, 3),
            torch.linalg.matrix_exp(a * 0.1),
            torch.linalg.lstsq(a, b).solution,
        ]


class Sorting(nn.Module):
    def forward(self, x: Tensor, groups: Tensor) -> list[Tensor]:
        ordered, order = torch.sort(x, dim=1, stable=True)
        values, inverse, counts = torch.unique(groups, return_inverse=True, return_counts=True)
        edges = torch.tensor([-1.0, 0.0, 1.0])
        sums = torch.zeros(4, x.size(1)).scatter_add(0, groups[:, None].expand_as(x), x)
        return [
            ordered,
            order,
            values,
            inverse,
            counts,
            torch.bucketize(x, edges, right=True),
            torch.searchsorted(ordered, x.contiguous()),
            sums,
            torch.zeros(4, x.size(1)).scatter_reduce(0, groups[:, None].expand_as(x), x, "amax", include_self=False),
            torch.zeros(4, x.size(1)).index_reduce(0, groups, x, "mean", include_self=True),
            x.kthvalue(2, dim=1)[0],
            x.median(dim=1)[0],
            torch.quantile(x, 0.3, dim=1),
            x.cummax(1)[0],
            x.logcumsumexp(1),
            torch.diff(x, dim=1),
            torch.histc(x, 5, -2.0, 2.0),
            torch.zeros(5).index_put_((groups,), x[:, 0], accumulate=True),
            torch.take_along_dim(x, order, 1),
            torch.cov(x),
            torch.isin(groups, torch.tensor([1, 3])),
            torch.mode(groups)[0],
            torch.tril_indices(3, 3),
            torch.combinations(groups[:3], 2),
            torch.cartesian_prod(groups[:2], groups[2:4]),
            torch.triu(x, -1),
            x.renorm(2, 0, 1.0),
            torch.trapz(x),
            F.cosine_similarity(x, x.roll(1, 0)),
            F.pairwise_distance(x, x.flip(0)),
            torch.pdist(x),
        ]


class Losses(nn.Module):
    def forward(self, x: Tensor, y: Tensor, labels: Tensor) -> list[Tensor]:
        signs = torch.sign(y)
        return [
            F.binary_cross_entropy_with_logits(x, y.sigmoid(), pos_weight=torch.ones(x.size(1)) * 2),
            F.triplet_margin_loss(x, y, x.flip(0)),
            F.margin_ranking_loss(x, y, signs),
            F.hinge_embedding_loss(x, signs),
            F.cosine_embedding_loss(x, y, signs[:, 0]),
            F.poisson_nll_loss(x, y.abs()),
            F.multilabel_soft_margin_loss(x, (y > 0).float()),
            F.cross_entropy(x, labels),
        ]


class Special(nn.Module):
    def forward(self, x: Tensor) -> list[Tensor]:
        p = x.sigmoid()
        return [
            torch.digamma(p + 1),
            torch.polygamma(1, p + 1),
            torch.erfinv(p),
            torch.special.ndtri(p),
            torch.special.ndtr(x),
            torch.special.i0(x),
            torch.special.i1e(x),
            torch.special.xlog1py(x, p),
            torch.special.entr(p),
            torch.special.log_ndtr(x),
            torch.special.expit(x),
            torch.special.logit(p, eps=1e-6),
            torch.special.gammaln(p + 1),
            torch.mvlgamma(p + 2, 2),
            torch.lgamma(x),
            torch.special.erfcx(x),
            torch.special.zeta(p + 2, p + 1),
            torch.igamma(p + 1, p),
            torch.float_power(p, 2),
            torch.ldexp(x, torch.tensor(2)),
            torch.nextafter(x, p),
        ]


class Integers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.tensor([[[1, 2, -1]]]))

    def forward(self, x: Tensor) -> list[Tensor]:
        return [
            F.conv1d(x[:, None], self.kernel, padding=1),
            x @ x.T,
            F.linear(x, x),
            torch.gcd(x, torch.full_like(x, 6)),
            torch.lcm(x.abs(), torch.full_like(x, 4)),
            x.clamp(-2, 2).to(torch.int8) << 1,
            torch.bitwise_xor(x, 5),
            x.float().round().int() // 2,
            x.cumsum(1, dtype=torch.int32),
            (x > 0).any(1),
            torch.floor_divide(x, 3),
            torch.fmod(x, 3),
            torch.div(x, 3, rounding_mode="trunc"),
        ]


class Mixed(nn.Module):
    """Half precision in parts, by hand and under autocast, which is off here."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3).to(torch.bfloat16)
        self.norm, self.head = nn.LayerNorm(4), nn.Linear(4, 2).half()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast("cpu", enabled=False):
            y = self.conv(x.to(torch.bfloat16)).mean((2, 3))
        normed = self.norm(y.float())
        return self.head(normed.to(torch.float16)).float(), y


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()
        self.second, self.head = nn.Conv2d(4, 4, 3, groups=2), nn.Linear(4, 3)
        self.quant, self.dequant = torch.ao.quantization.QuantStub(), torch.ao.quantization.DeQuantStub()
        self.add = torch.ao.nn.quantized.FloatFunctional()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.conv(self.quant(x))))
        x = self.relu(self.second(self.add.add_relu(x, x)))
        x = F.adaptive_avg_pool2d(F.max_pool2d(x, 2), 1)
        return self.dequant(self.head(x.flatten(1)))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru, self.head = nn.LSTM(3, 4, batch_first=True), nn.GRU(4, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.gru(self.lstm(x)[0])[0])


def quantized_static(engine: str) -> Case:
    torch.backends.quantized.engine = engine
    net = Net().eval()
    net = torch.ao.quantization.fuse_modules(net, [["conv", "norm", "relu"]])
    net.qconfig = torch.ao.quantization.get_default_qconfig(engine)
    torch.ao.quantization.prepare(net, inplace=True)
    x = torch.rand(2, 3, 6, 6) * 2 - 1
    net(x)
    # One step of the last scale: engines round in different places.
    return scripted(torch.ao.quantization.convert(net), x, atol=0.02)


def quantized_dynamic(engine: str) -> Case:
    torch.backends.quantized.engine = engine
    net = torch.ao.quantization.quantize_dynamic(Recurrent().eval(), {nn.LSTM, nn.GRU, nn.Linear}, dtype=torch.qint8)
    return scripted(net, torch.randn(2, 5, 3), atol=0.01)


class Layers(nn.Module):
    """What torch has quantized modules for, beside linear and convolution of images."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = torch.ao.quantization.QuantStub(), torch.ao.quantization.DeQuantStub()
        self.body = nn.Sequential(
            nn.Conv1d(2, 4, 3, padding=1),
            nn.Hardswish(),
            nn.Conv1d(4, 4, 2, stride=2),
            nn.ReLU(),
            nn.GroupNorm(2, 4),
            nn.LeakyReLU(0.1),
            nn.InstanceNorm1d(4, affine=True),
            nn.ELU(),
            nn.LayerNorm(4),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.dequant(self.body(self.quant(x)))


def quantized_layers() -> torch.jit.ScriptModule:
    torch.backends.quantized.engine = "x86"
    net = torch.ao.quantization.fuse_modules(Layers().eval(), [["body.2", "body.3"]])
    net.qconfig = torch.ao.quantization.get_default_qconfig("x86")
    torch.ao.quantization.prepare(net, inplace=True)
    net(torch.rand(2, 2, 8))
    return torch.jit.script(torch.ao.quantization.convert(net))


class CellNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(3, 4), nn.GRUCell(4, 4), nn.RNNCell(4, 4, nonlinearity="relu")
        self.tanh = nn.RNNCell(4, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden, cell = self.lstm(x)
        return self.tanh(self.rnn(self.gru(hidden, cell))), cell


def quantized_cells() -> Case:
    torch.backends.quantized.engine = "x86"
    cells = {nn.LSTMCell, nn.GRUCell, nn.RNNCell}
    net = torch.ao.quantization.quantize_dynamic(CellNet().eval(), cells, dtype=torch.qint8)
    return scripted(net, torch.randn(2, 3), atol=0.01)


def fake_quantized() -> Case:
    class Fake(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            scales, zeros = torch.tensor([0.1, 0.2]), torch.zeros(2, dtype=torch.int32)
            return (
                torch.fake_quantize_per_tensor_affine(x, 0.1, 3, 0, 255),
                torch.fake_quantize_per_channel_affine(x, scales, zeros, 0, -128, 127),
            )

    return traced(Fake(), torch.randn(2, 5))


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.conv(x)).mean([2, 3]))


def lite() -> Case:
    """Saved for the lite interpreter, whose bytecode stands beside the code."""
    program = torch.jit.script(Small().eval())
    data = io.BytesIO(program._save_to_buffer_for_lite_interpreter())
    return Case(torch.jit.load(data), (torch.rand(1, 3, 4, 4),))


CASES: Makers = {
    **both("spectrogram", Spectrogram, lambda: (torch.randn(2, 40),)),
    "spectral_script": lambda: scripted(Spectral(), torch.randn(1, 2, 6, 6)),
    "linear_algebra_script": lambda: scripted(LinearAlgebra(), torch.randn(2, 3, 3), torch.randn(2, 3, 2)),
    **both("sorting", Sorting, lambda: (torch.randn(5, 4), torch.tensor([1, 3, 1, 0, 3]))),
    "losses_script": lambda: scripted(Losses(), torch.randn(3, 4), torch.randn(3, 4), torch.tensor([0, 2, 1])),
    "special_script": lambda: scripted(Special(), torch.randn(7)),
    "integers_script": lambda: scripted(Integers(), torch.randint(-9, 10, (3, 5))),
    "mixed_script": lambda: scripted(Mixed(), torch.randn(2, 3, 4, 4), rtol=0.02, atol=0.01),
    **{f"static_{engine}": lambda engine=engine: quantized_static(engine) for engine in ("x86", "qnnpack", "onednn")},
    **{f"dynamic_{engine}": lambda engine=engine: quantized_dynamic(engine) for engine in ("x86", "qnnpack")},
    "quantized_layers": lambda: Case(quantized_layers(), (torch.rand(2, 2, 8),), extra={"atol": 0.02}),
    "quantized_layers_frozen": lambda: Case(
        torch.jit.freeze(quantized_layers()), (torch.rand(2, 2, 8),), extra={"atol": 0.02}
    ),
    "quantized_cells": quantized_cells,
    "fake_quantized": fake_quantized,
    "small_frozen": lambda: frozen(Small(), torch.rand(1, 3, 4, 4)),
    "small_lite": lite,
}
