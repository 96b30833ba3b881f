"""Recurrent layers in all their forms: both directions, packed, with projections, by cells; beside convolutions."""

import torch
from case import Makers, both, scripted, traced
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Packed(nn.Module):
    def __init__(self, kind: str, **options: bool) -> None:
        super().__init__()
        self.rnn = getattr(nn, kind)(3, 4, num_layers=2, batch_first=True, bidirectional=True, **options)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, _ = self.rnn(packed)
        return pad_packed_sequence(out, batch_first=True, padding_value=-1.0, total_length=x.size(1))


class Speech(nn.Module):
    """Convolutions over time, a bidirectional GRU, lengths that follow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv1d(5, 6, 3, stride=2, padding=1), nn.BatchNorm1d(6)
        self.gru = nn.GRU(6, 4, bidirectional=True, batch_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.relu_(self.norm(self.conv(x))).transpose(1, 2)
        lengths = torch.div(lengths - 1, 2, rounding_mode="trunc") + 1
        mask = torch.arange(x.size(1))[None, :] >= lengths[:, None]
        x, _ = self.gru(x.masked_fill(mask.unsqueeze(-1), 0.0))
        return self.head(x).log_softmax(-1), lengths


class Cells(nn.Module):
    """Cells in a loop, a state that is given or not."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(3, 4), nn.GRUCell(4, 4), nn.RNNCell(4, 2, nonlinearity="relu")

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        if state is None:
            zeros = torch.zeros(x.size(1), 4, dtype=x.dtype, device=x.device)
            state = (zeros, zeros)
        outputs: list[Tensor] = []
        hidden = x.new_zeros(x.size(1), 4)
        for step in x.unbind(0):
            state = self.lstm(step, state)
            hidden = self.gru(state[0], hidden)
            outputs.append(self.rnn(hidden))
        return torch.stack(outputs), state


class ConvLstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 + 3, 12, 3, padding=1)

    def forward(self, frames: Tensor) -> Tensor:
        h = torch.zeros(frames.size(0), 3, frames.size(3), frames.size(4))
        c = torch.zeros_like(h)
        for t in range(frames.size(1)):
            i, f, o, g = torch.chunk(self.gates(torch.cat([frames[:, t], h], dim=1)), 4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h


class Attentive(nn.Module):
    """An encoder whose last states start a decoder that attends."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(7, 4)
        self.encoder = nn.LSTM(4, 3, bidirectional=True)
        self.decoder = nn.GRU(4 + 6, 6)
        self.out = nn.Linear(6, 7)

    def forward(self, source: Tensor, steps: int) -> Tensor:
        memory, (h, _) = self.encoder(self.words(source))
        hidden = torch.cat((h[0], h[1]), 1).unsqueeze(0)
        word = torch.zeros([1, source.size(1)], dtype=torch.int64)
        result: list[Tensor] = []
        for step in range(steps):
            weights = torch.bmm(memory.permute(1, 0, 2), hidden.permute(1, 2, 0)).softmax(1)
            context = torch.bmm(weights.permute(0, 2, 1), memory.permute(1, 0, 2)).transpose(0, 1)
            out, hidden = self.decoder(torch.cat([self.words(word), context], 2), hidden)
            word = self.out(out).argmax(-1)
            result.append(word)
        return torch.cat(result)


class Layer(nn.Module):
    def __init__(self, kind: str, **options: object) -> None:
        super().__init__()
        self.rnn = getattr(nn, kind)(3, 4, **options)

    def forward(self, x: Tensor):  # the kinds have states of different types
        return self.rnn(x)


def sequences() -> tuple[Tensor, Tensor]:
    return torch.randn(3, 5, 3), torch.tensor([3, 5, 2])


def layer(kind: str, *inputs: Tensor, **options: object) -> Makers:
    name = f"{kind.lower()}_{'_'.join(options)}" if options else kind.lower()
    return both(name, lambda: Layer(kind, **options), lambda: inputs)


X = torch.linspace(-1, 1, 2 * 5 * 3).view(2, 5, 3)

CASES: Makers = {
    **layer("LSTM", X, num_layers=2, bidirectional=True, batch_first=True),
    **layer("LSTM", X, proj_size=2, bidirectional=True),
    **layer("LSTM", X[0]),
    **layer("LSTM", X, bias=False, dropout=0.5, num_layers=2),
    **layer("GRU", X, num_layers=2, bidirectional=True),
    **layer("GRU", X[0], batch_first=True),
    **layer("RNN", X, nonlinearity="relu", bidirectional=True),
    **layer("RNN", X),
    "packed_lstm_script": lambda: scripted(Packed("LSTM"), *sequences()),
    "packed_gru_script": lambda: scripted(Packed("GRU"), *sequences()),
    "packed_rnn_script": lambda: scripted(Packed("RNN"), *sequences()),
    "packed_gru_trace": lambda: traced(Packed("GRU"), *sequences()),
    **both("speech", Speech, lambda: (torch.randn(2, 5, 9), torch.tensor([9, 6]))),
    "cells_script": lambda: scripted(Cells(), torch.randn(4, 2, 3)),
    **both("conv_lstm", ConvLstm, lambda: (torch.randn(1, 3, 2, 4, 4),)),
    "attentive_script": lambda: scripted(Attentive(), torch.randint(0, 7, (4, 2)), 3),
}
