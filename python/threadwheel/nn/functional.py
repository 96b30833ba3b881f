"""Functions of layers, with the arguments that `torch.nn.functional` gives them. `jit.script` compiles what uses them.

Where an op of the same name takes the same arguments in the same order, the function is that op. The others are written
out here, as programs can be.
"""

from __future__ import annotations

import threadwheel as torch

from .._core import (
    Tensor,
    _upsample_bicubic2d_aa,
    _upsample_bilinear2d_aa,
    _upsample_nearest_exact1d,
    _upsample_nearest_exact2d,
    _upsample_nearest_exact3d,
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    bilinear,
    channel_shuffle,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    cosine_similarity,
    gelu,
    glu,
    group_norm,
    hardshrink,
    layer_norm,
    linear,
    log_softmax,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    one_hot,
    pad,
    pairwise_distance,
    pdist,
    pixel_shuffle,
    pixel_unshuffle,
    prelu,
    relu_,
    rms_norm,
    scaled_dot_product_attention,
    sigmoid,
    softmax,
    softplus,
    softshrink,
    tanh,
    threshold,
)
from .._core import log_sigmoid as logsigmoid

# --- activations ------------------------------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    return torch.relu_(input) if inplace else torch.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    return torch.relu6_(input) if inplace else torch.relu6(input)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    return torch.elu_(input, alpha) if inplace else torch.elu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    return torch.selu_(input) if inplace else torch.selu(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    return torch.celu_(input, alpha) if inplace else torch.celu(input, alpha)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    return torch.leaky_relu_(input, negative_slope) if inplace else torch.leaky_relu(input, negative_slope)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    return torch.hardtanh_(input, min_val, max_val) if inplace else torch.hardtanh(input, min_val, max_val)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    return torch.hardswish_(input) if inplace else torch.hardswish(input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    return torch.hardsigmoid_(input) if inplace else torch.hardsigmoid(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    return torch.silu_(input) if inplace else torch.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    return torch.mish_(input) if inplace else torch.mish(input)


def softsign(input: Tensor) -> Tensor:
    return input / (torch.abs(input) + 1)


def tanhshrink(input: Tensor) -> Tensor:
    return input - torch.tanh(input)


def softmin(input: Tensor, dim: int) -> Tensor:
    return torch.softmax(-input, dim)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    return input / torch.norm(input, p, [dim], True).clamp_min(eps)


# --- layers ------------------------------------------------------------------------------------------


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """The input itself unless `training`, which needs random numbers and is refused."""
    return torch.dropout(input, p, training)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    *,
    mode: str = "mean",
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of rows: of each row of a matrix of indices, or of the parts of a vector that begin at
    the offsets.
    """
    modes = ["sum", "mean", "max"]
    if mode not in modes:
        raise ValueError(f"embedding_bag: mode is '{mode}'; expected 'sum', 'mean' or 'max'")
    if offsets is None:
        if input.dim() != 2:
            raise ValueError("embedding_bag: give offsets with a vector of indices")
        offsets = torch.arange(0, input.numel(), input.size(1))
        input = input.reshape([-1])
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape([-1])
    bags = torch.embedding_bag(
        weight, input, offsets, False, modes.index(mode), False, per_sample_weights, include_last_offset, padding_idx
    )
    return bags[0]


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    return torch.embedding(weight, input, -1 if padding_idx is None else padding_idx)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    return torch.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, False)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    return torch.instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, False)


# --- images -----------------------------------------------------------------------------------------


def _repeated(value: int | list[int], count: int) -> list[int]:
    """One number stands for all dimensions."""
    if isinstance(value, int):
        return [value] * count
    return value


def unfold(
    input: Tensor,
    kernel_size: int | list[int],
    dilation: int | list[int] = 1,
    padding: int | list[int] = 0,
    stride: int | list[int] = 1,
) -> Tensor:
    """Patches as columns: [n, c, h, w] -> [n, c * kernel area, patches]."""
    return torch.im2col(
        input, _repeated(kernel_size, 2), _repeated(dilation, 2), _repeated(padding, 2), _repeated(stride, 2)
    )


def fold(
    input: Tensor,
    output_size: int | list[int],
    kernel_size: int | list[int],
    dilation: int | list[int] = 1,
    padding: int | list[int] = 0,
    stride: int | list[int] = 1,
) -> Tensor:
    """The reverse of unfold; patches add up where they overlap."""
    size = _repeated(output_size, 2)
    kernel = _repeated(kernel_size, 2)
    return torch.col2im(input, size, kernel, _repeated(dilation, 2), _repeated(padding, 2), _repeated(stride, 2))


def _scaled_sizes(input: Tensor, scales: list[float]) -> list[int]:
    return [int(float(input.size(i + 2)) * scales[i]) for i in range(input.dim() - 2)]


def _upsample_nearest(input: Tensor, sizes: list[int] | None, scales: list[float] | None, exact: bool) -> Tensor:
    if input.dim() == 3:
        if exact:
            return _upsample_nearest_exact1d(input, sizes, scales)
        return torch.upsample_nearest1d(input, sizes, scales)
    if input.dim() == 4:
        if exact:
            return _upsample_nearest_exact2d(input, sizes, scales)
        return torch.upsample_nearest2d(input, sizes, scales)
    if exact:
        return _upsample_nearest_exact3d(input, sizes, scales)
    return torch.upsample_nearest3d(input, sizes, scales)


def _upsample_smooth(
    input: Tensor, sizes: list[int] | None, scales: list[float] | None, mode: str, corners: bool, antialias: bool
) -> Tensor:
    if mode == "bilinear" and input.dim() == 4:
        if antialias:
            return _upsample_bilinear2d_aa(input, sizes, corners, scales)
        return torch.upsample_bilinear2d(input, sizes, corners, scales)
    if mode == "bicubic" and input.dim() == 4:
        if antialias:
            return _upsample_bicubic2d_aa(input, sizes, corners, scales)
        return torch.upsample_bicubic2d(input, sizes, corners, scales)
    if antialias:
        raise ValueError(
            f"interpolate: antialias with mode '{mode}'; expected 'bilinear' or 'bicubic' and 4 dimensions"
        )
    if mode == "linear" and input.dim() == 3:
        return torch.upsample_linear1d(input, sizes, corners, scales)
    if mode == "trilinear" and input.dim() == 5:
        return torch.upsample_trilinear3d(input, sizes, corners, scales)
    raise ValueError(f"interpolate: mode '{mode}' with {input.dim()} dimensions")


def _pool_to(input: Tensor, sizes: list[int]) -> Tensor:
    if input.dim() == 3:
        return torch.adaptive_avg_pool1d(input, sizes)
    if input.dim() == 4:
        return torch.adaptive_avg_pool2d(input, sizes)
    return torch.adaptive_avg_pool3d(input, sizes)


def interpolate(
    input: Tensor,
    size: int | list[int] | None = None,
    scale_factor: float | list[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Another size for the dimensions after the first two: give the size or the factors, for all or for each."""
    spatial = input.dim() - 2
    sizes: list[int] | None = None
    scales: list[float] | None = None
    if isinstance(size, int):
        sizes = [size] * spatial
    elif size is not None:
        sizes = size
    if isinstance(scale_factor, (int, float)):
        scales = [float(scale_factor)] * spatial
    elif scale_factor is not None:
        scales = scale_factor
    if (sizes is None) == (scales is None):
        raise ValueError("interpolate: give one of size and scale_factor")
    recompute = recompute_scale_factor is not None and recompute_scale_factor
    if scales is not None and (recompute or mode == "area"):
        sizes = _scaled_sizes(input, scales)
        scales = None
    if mode == "nearest" or mode == "nearest-exact":
        return _upsample_nearest(input, sizes, scales, mode == "nearest-exact")
    if mode == "area" and sizes is not None:
        return _pool_to(input, sizes)
    return _upsample_smooth(input, sizes, scales, mode, align_corners is not None and align_corners, antialias)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The input at the places of the grid, of which -1 and 1 are the borders."""
    modes = ["bilinear", "nearest", "bicubic"]
    paddings = ["zeros", "border", "reflection"]
    if mode not in modes or padding_mode not in paddings:
        raise ValueError(f"grid_sample: mode '{mode}' with padding_mode '{padding_mode}'")
    corners = align_corners is not None and align_corners
    return torch.grid_sampler(input, grid, modes.index(mode), paddings.index(padding_mode), corners)


def affine_grid(theta: Tensor, size: list[int], align_corners: bool | None = None) -> Tensor:
    return torch.affine_grid_generator(theta, size, align_corners is not None and align_corners)


# --- losses ------------------------------------------------------------------------------------------


def _reduction(name: str) -> int:
    """The number that ops know a reduction by."""
    if name == "none":
        return 0
    if name == "mean":
        return 1
    if name == "sum":
        return 2
    raise ValueError(f"reduction is '{name}'; expected 'none', 'mean' or 'sum'")


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    return torch.l1_loss(input, target, _reduction(reduction))


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    return torch.mse_loss(input, target, _reduction(reduction))


def smooth_l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    return torch.smooth_l1_loss(input, target, _reduction(reduction), beta)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    return torch.huber_loss(input, target, _reduction(reduction), delta)


def soft_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    return torch.soft_margin_loss(input, target, _reduction(reduction))


def kl_div(input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    return torch.kl_div(input, target, _reduction(reduction), log_target=log_target)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    return torch.binary_cross_entropy(input, target, weight, _reduction(reduction))


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    return torch.binary_cross_entropy_with_logits(input, target, weight, pos_weight, _reduction(reduction))


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, *, reduction: str = "mean"
) -> Tensor:
    return torch.margin_ranking_loss(input1, input2, target, margin, _reduction(reduction))


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, *, reduction: str = "mean"
) -> Tensor:
    return torch.cosine_embedding_loss(input1, input2, target, margin, _reduction(reduction))


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, *, reduction: str = "mean") -> Tensor:
    return torch.hinge_embedding_loss(input, target, margin, _reduction(reduction))


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    return torch.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, _reduction(reduction))


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    return torch.cross_entropy_loss(input, target, weight, _reduction(reduction), ignore_index, label_smoothing)


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    return torch.nll_loss(input, target, weight, _reduction(reduction), ignore_index)


__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "affine_grid",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "embedding_bag",
    "fold",
    "gelu",
    "glu",
    "grid_sample",
    "group_norm",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "mish",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rms_norm",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "unfold",
]
