"""Transformers and what is built of their parts: masks, caches, decoding, embeddings."""

import math

import torch
from case import Makers, both, scripted, traced, traced_without_gradients
from torch import Tensor, nn
from torch.nn import functional as F


def ids(*shape: int, below: int = 11) -> Tensor:
    return torch.randint(0, below, shape)


class Encoder(nn.Module):
    def __init__(self, norm_first: bool = False, activation: str = "relu", nested: bool = False) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            8, 2, 16, batch_first=True, norm_first=norm_first, activation=activation, dropout=0.1
        )
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(8), enable_nested_tensor=nested)

    def forward(self, x: Tensor, padding: Tensor | None = None) -> Tensor:
        return self.encoder(x, src_key_padding_mask=padding)


class Translator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(11, 8, padding_idx=0), nn.Embedding(11, 8)
        self.transformer = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
        self.head = nn.Linear(8, 11)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        mask = self.transformer.generate_square_subsequent_mask(target.size(1))
        hidden = self.transformer(self.source(source), self.target(target), tgt_mask=mask)
        return F.log_softmax(self.head(hidden), dim=-1)


class Attention(nn.Module):
    def __init__(self, batch_first: bool, kdim: int | None = None) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=batch_first, kdim=kdim, add_bias_kv=kdim is not None)

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, padding: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        return self.attention(q, k, v, attn_mask=mask, key_padding_mask=padding, average_attn_weights=False)


class ScaledDotProduct(nn.Module):
    def forward(self, q: Tensor, k: Tensor, v: Tensor, keep: Tensor) -> list[Tensor]:
        bias = torch.zeros(q.size(-2), k.size(-2)).masked_fill(keep.logical_not(), float("-inf"))
        return [
            F.scaled_dot_product_attention(q, k, v),
            F.scaled_dot_product_attention(q, k, v, attn_mask=keep),
            F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=0.3),
            F.scaled_dot_product_attention(q, k, v, is_causal=True),
        ]


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.qkv, self.out = nn.LayerNorm(8), nn.Linear(8, 24), nn.Linear(8, 8)
        self.mlp = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 32), nn.GELU("tanh"), nn.Linear(32, 8))

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        n, length, width = x.shape
        q, k, v = self.qkv(self.norm(x)).view(n, length, 3, 2, width // 2).permute(2, 0, 3, 1, 4).unbind(0)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        mask = torch.ones(length, k.size(2), dtype=torch.bool).tril(k.size(2) - length)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.out(attended.transpose(1, 2).reshape(n, length, width))
        return x + self.mlp(x), (k, v)


class Generator(nn.Module):
    """Greedy decoding with a cache of keys and values, tied embeddings, stop at an id."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(11, 8), nn.Embedding(16, 8)
        self.blocks = nn.ModuleList([Block() for _ in range(2)])
        self.norm = nn.LayerNorm(8)

    def forward(
        self, tokens: Tensor, cache: list[tuple[Tensor, Tensor]] | None = None
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        start = 0 if cache is None else cache[0][0].size(2)
        x = self.tokens(tokens) + self.places(torch.arange(start, start + tokens.size(1), device=tokens.device))
        grown: list[tuple[Tensor, Tensor]] = []
        for i, block in enumerate(self.blocks):
            x, pair = block(x, None if cache is None else cache[i])
            grown.append(pair)
        return F.linear(self.norm(x), self.tokens.weight), grown

    @torch.jit.export
    def generate(self, prompt: Tensor, steps: int, stop: int = -1) -> Tensor:
        logits, cache = self.forward(prompt, None)
        result = prompt
        for _ in range(steps):
            following = logits[:, -1].argmax(-1, keepdim=True)
            result = torch.cat((result, following), 1)
            if bool((following == stop).all()):
                break
            logits, cache = self.forward(following, cache)
        return result


class BeamSearch(nn.Module):
    def __init__(self, beams: int = 3) -> None:
        super().__init__()
        self.beams, self.table = beams, nn.Parameter(torch.randn(11, 11))

    def forward(self, start: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        n, beams, words = start.size(0), self.beams, self.table.size(0)
        sequences = start.unsqueeze(1).expand(n, beams).unsqueeze(-1)
        scores = torch.full((n, beams), float("-inf"))
        scores[:, 0] = 0.0
        for _ in range(steps):
            logits = torch.log_softmax(self.table[sequences[:, :, -1]], -1)
            scores, flat = (scores.unsqueeze(-1) + logits).view(n, -1).topk(beams, dim=1)
            parent, word = flat // words, flat.remainder(words)
            chosen = sequences.gather(1, parent.unsqueeze(-1).expand(-1, -1, sequences.size(-1)))
            sequences = torch.cat([chosen, word.unsqueeze(-1)], dim=-1)
        return sequences, scores


class NucleusFilter(nn.Module):
    def forward(self, logits: Tensor, top_p: float, top_k: int) -> Tensor:
        kth = torch.topk(logits, top_k)[0][..., -1, None]
        logits = logits.masked_fill(logits < kth, -float("inf"))
        ordered, order = torch.sort(logits, descending=True)
        drop = torch.cumsum(F.softmax(ordered, dim=-1), dim=-1) > top_p
        drop[..., 1:] = drop[..., :-1].clone()
        drop[..., 0] = False
        return logits.masked_fill(drop.scatter(1, order, drop), float("-inf")).softmax(-1)


class RotaryAttention(nn.Module):
    """Rotary embeddings by complex numbers, grouped keys, ALiBi beside them, einsum."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.kv = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)
        slopes = torch.tensor([2.0 ** -(i + 1) for i in range(2)])
        self.register_buffer("slopes", slopes, persistent=False)
        self.register_buffer("frequencies", 1.0 / 10.0 ** (torch.arange(0, 4, 2).float() / 4))

    def rotate(self, x: Tensor) -> Tensor:
        angles = torch.outer(torch.arange(x.size(1)).float(), self.frequencies)
        turn = torch.polar(torch.ones_like(angles), angles)
        pairs = torch.view_as_complex(x.float().reshape(x.size(0), x.size(1), x.size(2), -1, 2))
        return torch.view_as_real(pairs * turn[None, :, None, :]).flatten(3).type_as(x)

    def forward(self, x: Tensor) -> Tensor:
        n, length, _ = x.shape
        q = self.rotate(self.q(x).view(n, length, 2, 4))
        k, v = self.kv(x).view(n, length, 2, 1, 4).unbind(2)
        k, v = self.rotate(k).repeat_interleave(2, dim=2), v.repeat_interleave(2, dim=2)
        place = torch.arange(length)
        distance = (place[None, :] - place[:, None]).clamp(max=0)
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(4)
        scores += self.slopes[None, :, None, None] * distance
        scores = scores.masked_fill(torch.triu(torch.ones(length, length, dtype=torch.bool), 1), -1e9)
        return torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), v).flatten(2)


class RelativeBuckets(nn.Module):
    """T5's buckets of distances."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Embedding(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        place = torch.arange(x.size(1), dtype=torch.long)
        relative = place[None, :] - place[:, None]
        buckets = (relative > 0).to(torch.long) * 4
        distance = torch.abs(relative)
        large = 2 + (torch.log(distance.float() / 2) / math.log(16 / 2) * 2).to(torch.long)
        large = torch.min(large, torch.full_like(large, 3))
        buckets += torch.where(distance < 2, distance, large)
        return self.bias(buckets).permute([2, 0, 1]).unsqueeze(0)


class Bags(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sum = nn.EmbeddingBag(11, 4, mode="sum", include_last_offset=False)
        self.mean = nn.EmbeddingBag(11, 4, mode="mean", padding_idx=0)
        self.max = nn.EmbeddingBag(11, 4, mode="max")

    def forward(self, words: Tensor, offsets: Tensor, weights: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.sum(words, offsets, per_sample_weights=weights), self.mean(rows), self.max(words, offsets)


class Experts(nn.Module):
    """A mixture of experts: each token to the best two."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(4, 3)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(4, 8), nn.SiLU(), nn.Linear(8, 4)) for _ in range(3)])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        weights, chosen = self.gate(x).softmax(-1).topk(2, -1)
        weights = weights / weights.sum(-1, keepdim=True)
        result = torch.zeros_like(x)
        mask = F.one_hot(chosen, num_classes=3).permute(2, 1, 0)
        for i, expert in enumerate(self.experts):
            slot, token = torch.where(mask[i] > 0)
            if token.numel() > 0:
                result.index_add_(0, token, expert(x[token]) * weights[token, slot, None])
        return result, torch.bincount(chosen.flatten(), minlength=3)


class Viterbi(nn.Module):
    """A CRF's best path, with sequences of different lengths."""

    def __init__(self) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.randn(4, 4))

    def forward(self, emissions: Tensor, lengths: Tensor) -> list[list[int]]:
        paths: list[list[int]] = []
        for i in range(emissions.size(0)):
            score, back = emissions[i, 0], torch.jit.annotate(list[Tensor], [])
            for t in range(1, int(lengths[i])):
                best, index = (score.unsqueeze(1) + self.transitions).max(dim=0)
                score = best + emissions[i, t]
                back.append(index)
            path = [int(score.argmax())]
            for t in range(len(back) - 1, -1, -1):
                path.append(int(back[t][path[-1]]))
            path.reverse()
            paths.append(path)
        return paths


def make_attention() -> tuple[Tensor, ...]:
    mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
    padding = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    x = torch.randn(2, 5, 8)
    return x, x, x, mask, padding


def make_cross_attention() -> tuple[Tensor, ...]:
    return torch.randn(4, 2, 8), torch.randn(6, 2, 5), torch.randn(6, 2, 8)


def make_products() -> tuple[Tensor, ...]:
    q, k, v = torch.randn(3, 2, 2, 4, 4).unbind(0)
    return q, k, v, torch.ones(4, 4, dtype=torch.bool).tril()


PADDING = [[False, False, False, True], [False, False, False, False]]


class GroupedExperts(nn.Module):
    """Each row goes through the matrix of its expert, rows of one expert side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(3, 4, 8))
        self.choose = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        expert = self.choose(x).argmax(-1)
        order = expert.argsort(stable=True)
        ends = torch.cumsum(torch.bincount(expert, minlength=3), 0).to(torch.int32)
        return torch.empty(x.size(0), 8).index_copy(0, order, torch._grouped_mm(x[order], self.weights, ends))


def make_uneven() -> tuple[Tensor, Tensor]:
    """Sequences of 4, 2 and 1 steps in a batch padded to 5."""
    return torch.randn(3, 5, 8), torch.arange(5) >= torch.tensor([[4], [2], [1]])


CASES: Makers = {
    "grouped_experts_script": lambda: scripted(GroupedExperts(), torch.randn(6, 4)),
    "encoder_script": lambda: scripted(Encoder(), torch.randn(2, 4, 8)),
    "encoder_padding_script": lambda: scripted(Encoder(), torch.randn(2, 4, 8), torch.tensor(PADDING)),
    "encoder_norm_first_script": lambda: scripted(Encoder(True, "gelu"), torch.randn(2, 4, 8)),
    "encoder_trace": lambda: traced(Encoder(), torch.randn(2, 4, 8)),
    "encoder_nested_script": lambda: scripted(Encoder(nested=True), *make_uneven()),
    "encoder_nested_gelu_script": lambda: scripted(Encoder(activation="gelu", nested=True), *make_uneven()),
    "encoder_nested_trace": lambda: traced_without_gradients(Encoder(nested=True), *make_uneven()),
    **both("translator", Translator, lambda: (ids(2, 5), ids(2, 4))),
    **both("attention", lambda: Attention(True), make_attention),
    "cross_attention_script": lambda: scripted(Attention(False, kdim=5), *make_cross_attention()),
    **both("scaled_dot_product", ScaledDotProduct, make_products),
    "generator_script": lambda: scripted(Generator(), ids(2, 3)),
    "generate_script": lambda: scripted(Generator(), ids(2, 3), 5, 7, method="generate"),
    "beam_search_script": lambda: scripted(BeamSearch(), ids(2), 4),
    "nucleus_script": lambda: scripted(NucleusFilter(), torch.randn(2, 11), 0.8, 7),
    **both("rotary", RotaryAttention, lambda: (torch.randn(2, 5, 8),)),
    **both("buckets", RelativeBuckets, lambda: (torch.randn(1, 9, 2),)),
    **both("bags", Bags, lambda: (ids(6), torch.tensor([0, 2, 5]), torch.rand(6), ids(2, 3))),
    "experts_script": lambda: scripted(Experts(), torch.randn(6, 4)),
    "viterbi_script": lambda: scripted(Viterbi(), torch.randn(2, 5, 4), torch.tensor([5, 3])),
}
