"""Types of the extension module. The ops are those of its registry; a test compares the two."""

from builtins import bool as _bool  # the module has a dtype of that name
from collections.abc import Callable, Sequence
from typing import Any, Protocol

class Buffer(Protocol):
    def __buffer__(self, flags: int, /) -> memoryview: ...

class ArgumentError(ValueError, RuntimeError): ...

class DType:
    @property
    def name(self) -> str: ...
    @property
    def itemsize(self) -> int: ...

class Tensor:
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> DType: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def ndim(self) -> int: ...
    def dim(self) -> int: ...
    def size(self) -> tuple[int, ...]: ...
    def stride(self) -> tuple[int, ...]: ...
    def numel(self) -> int: ...
    def is_contiguous(self) -> _bool: ...
    def contiguous(self) -> Tensor: ...
    def numpy(self) -> Any: ...
    def item(self) -> float: ...
    def tolist(self) -> Any: ...
    def __array__(self, dtype: Any = None, copy: _bool | None = None) -> Any: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __len__(self) -> int: ...

TensorLike = Tensor | Buffer
DTypeLike = DType | str | type

def add(self: TensorLike, other: TensorLike | float, *, alpha: float = 1) -> Tensor: ...
def relu(self: TensorLike) -> Tensor: ...
def exp(self: TensorLike) -> Tensor: ...
def sum(
    self: TensorLike,
    dim: int | Sequence[int] | None = None,
    keepdim: _bool = False,
    *,
    dtype: DTypeLike | None = None,
) -> Tensor: ...
def mm(self: TensorLike, mat2: TensorLike) -> Tensor: ...
def linear(input: TensorLike, weight: TensorLike, bias: TensorLike | None = None) -> Tensor: ...
def conv2d(
    input: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
def _adaptive_avg_pool2d(self: TensorLike, output_size: int | Sequence[int]) -> Tensor: ...
def _adaptive_avg_pool3d(self: TensorLike, output_size: int | Sequence[int]) -> Tensor: ...
def _convolution(*args: Any, **kwargs: Any) -> Tensor: ...
def _convolution_mode(
    input: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None,
    stride: Sequence[int],
    padding: str,
    dilation: Sequence[int],
    groups: int,
) -> Tensor: ...
def _fused_rms_norm(
    input: TensorLike, normalized_shape: Sequence[int], weight: TensorLike | None, eps: float | None
) -> tuple[Tensor, Tensor]: ...
def _native_batch_norm_legit(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]: ...
def _native_batch_norm_legit_no_training(
    input: TensorLike,
    weight: TensorLike | None,
    bias: TensorLike | None,
    running_mean: TensorLike,
    running_var: TensorLike,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]: ...
def _native_multi_head_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    embed_dim: int,
    num_head: int,
    qkv_weight: TensorLike,
    qkv_bias: TensorLike,
    proj_weight: TensorLike,
    proj_bias: TensorLike,
    mask: TensorLike | None = None,
    need_weights: _bool = True,
    average_attn_weights: _bool = True,
    mask_type: int | None = None,
) -> tuple[Tensor, Tensor]: ...
def _pack_padded_sequence(input: TensorLike, lengths: TensorLike, batch_first: _bool) -> tuple[Tensor, Tensor]: ...
def _pad_packed_sequence(
    data: TensorLike, batch_sizes: TensorLike, batch_first: _bool, padding_value: float, total_length: int
) -> tuple[Tensor, Tensor]: ...
def _scaled_dot_product_attention_math(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    attn_mask: TensorLike | None = None,
    dropout_p: float = 0.0,
    is_causal: _bool = False,
    dropout_mask: TensorLike | None = None,
    *,
    scale: float | None = None,
    enable_gqa: _bool = False,
) -> tuple[Tensor, Tensor]: ...
def _transformer_encoder_layer_fwd(
    src: TensorLike,
    embed_dim: int,
    num_heads: int,
    qkv_weight: TensorLike,
    qkv_bias: TensorLike,
    proj_weight: TensorLike,
    proj_bias: TensorLike,
    use_gelu: _bool,
    norm_first: _bool,
    eps: float,
    norm_weight_1: TensorLike,
    norm_bias_1: TensorLike,
    norm_weight_2: TensorLike,
    norm_bias_2: TensorLike,
    ffn_weight_1: TensorLike,
    ffn_bias_1: TensorLike,
    ffn_weight_2: TensorLike,
    ffn_bias_2: TensorLike,
    mask: TensorLike | None = None,
    mask_type: int | None = None,
) -> Tensor: ...
def _upsample_bicubic2d_aa(*args: Any, **kwargs: Any) -> Tensor: ...
def _upsample_bilinear2d_aa(*args: Any, **kwargs: Any) -> Tensor: ...
def _upsample_nearest_exact1d(*args: Any, **kwargs: Any) -> Tensor: ...
def _upsample_nearest_exact2d(*args: Any, **kwargs: Any) -> Tensor: ...
def _upsample_nearest_exact3d(*args: Any, **kwargs: Any) -> Tensor: ...
def adaptive_avg_pool1d(self: TensorLike, output_size: int | Sequence[int]) -> Tensor: ...
def adaptive_avg_pool2d(self: TensorLike, output_size: int | Sequence[int]) -> Tensor: ...
def adaptive_avg_pool3d(self: TensorLike, output_size: int | Sequence[int]) -> Tensor: ...
def adaptive_max_pool1d(self: TensorLike, output_size: int | Sequence[int]) -> tuple[Tensor, Tensor]: ...
def adaptive_max_pool2d(self: TensorLike, output_size: int | Sequence[int]) -> tuple[Tensor, Tensor]: ...
def adaptive_max_pool3d(self: TensorLike, output_size: int | Sequence[int]) -> tuple[Tensor, Tensor]: ...
def addbmm(
    self: TensorLike, batch1: TensorLike, batch2: TensorLike, *, beta: float = 1, alpha: float = 1
) -> Tensor: ...
def addmm(self: TensorLike, mat1: TensorLike, mat2: TensorLike, *, beta: float = 1, alpha: float = 1) -> Tensor: ...
def addmm_(self: TensorLike, mat1: TensorLike, mat2: TensorLike, *, beta: float = 1, alpha: float = 1) -> Tensor: ...
def addmv(self: TensorLike, mat: TensorLike, vec: TensorLike, *, beta: float = 1, alpha: float = 1) -> Tensor: ...
def addr(self: TensorLike, vec1: TensorLike, vec2: TensorLike, *, beta: float = 1, alpha: float = 1) -> Tensor: ...
def avg_pool1d(
    self: TensorLike,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    ceil_mode: _bool = False,
    count_include_pad: _bool = True,
) -> Tensor: ...
def avg_pool2d(
    self: TensorLike,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = 0,
    ceil_mode: _bool = False,
    count_include_pad: _bool = True,
    divisor_override: int | None = None,
) -> Tensor: ...
def avg_pool3d(
    self: TensorLike,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = 0,
    ceil_mode: _bool = False,
    count_include_pad: _bool = True,
    divisor_override: int | None = None,
) -> Tensor: ...
def baddbmm(
    self: TensorLike, batch1: TensorLike, batch2: TensorLike, *, beta: float = 1, alpha: float = 1
) -> Tensor: ...
def baddbmm_(
    self: TensorLike, batch1: TensorLike, batch2: TensorLike, *, beta: float = 1, alpha: float = 1
) -> Tensor: ...
def batch_norm(
    input: TensorLike,
    weight: TensorLike | None,
    bias: TensorLike | None,
    running_mean: TensorLike | None,
    running_var: TensorLike | None,
    training: _bool,
    momentum: float,
    eps: float,
    cudnn_enabled: _bool,
) -> Tensor: ...
def bmm(self: TensorLike, mat2: TensorLike) -> Tensor: ...
def chain_matmul(matrices: Sequence[TensorLike]) -> Tensor: ...
def channel_shuffle(self: TensorLike, groups: int) -> Tensor: ...
def conv1d(*args: Any, **kwargs: Any) -> Tensor: ...
def conv3d(*args: Any, **kwargs: Any) -> Tensor: ...
def conv_transpose1d(
    input: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None = None,
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    output_padding: int | Sequence[int] = ...,
    groups: int = 1,
    dilation: int | Sequence[int] = ...,
) -> Tensor: ...
def conv_transpose2d(
    input: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None = None,
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    output_padding: int | Sequence[int] = ...,
    groups: int = 1,
    dilation: int | Sequence[int] = ...,
) -> Tensor: ...
def conv_transpose3d(
    input: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None = None,
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    output_padding: int | Sequence[int] = ...,
    groups: int = 1,
    dilation: int | Sequence[int] = ...,
) -> Tensor: ...
def convolution(
    input: TensorLike,
    weight: TensorLike,
    bias: TensorLike | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: _bool,
    output_padding: Sequence[int],
    groups: int,
) -> Tensor: ...
def dot(self: TensorLike, tensor: TensorLike) -> Tensor: ...
def fft_fft(self: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor: ...
def fft_fft2(
    self: TensorLike, s: int | Sequence[int] | None = None, dim: int | Sequence[int] = ..., norm: str | None = None
) -> Tensor: ...
def fft_fftn(
    self: TensorLike,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor: ...
def fft_fftshift(self: TensorLike, dim: int | Sequence[int] | None = None) -> Tensor: ...
def fft_hfft(self: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor: ...
def fft_hfft2(
    self: TensorLike, s: int | Sequence[int] | None = None, dim: int | Sequence[int] = ..., norm: str | None = None
) -> Tensor: ...
def fft_hfftn(
    self: TensorLike,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor: ...
def fft_ifft(self: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor: ...
def fft_ifft2(
    self: TensorLike, s: int | Sequence[int] | None = None, dim: int | Sequence[int] = ..., norm: str | None = None
) -> Tensor: ...
def fft_ifftn(
    self: TensorLike,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor: ...
def fft_ifftshift(self: TensorLike, dim: int | Sequence[int] | None = None) -> Tensor: ...
def fft_ihfft(self: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor: ...
def fft_ihfft2(
    self: TensorLike, s: int | Sequence[int] | None = None, dim: int | Sequence[int] = ..., norm: str | None = None
) -> Tensor: ...
def fft_ihfftn(
    self: TensorLike,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor: ...
def fft_irfft(self: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor: ...
def fft_irfft2(
    self: TensorLike, s: int | Sequence[int] | None = None, dim: int | Sequence[int] = ..., norm: str | None = None
) -> Tensor: ...
def fft_irfftn(
    self: TensorLike,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor: ...
def fft_rfft(self: TensorLike, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor: ...
def fft_rfft2(
    self: TensorLike, s: int | Sequence[int] | None = None, dim: int | Sequence[int] = ..., norm: str | None = None
) -> Tensor: ...
def fft_rfftn(
    self: TensorLike,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor: ...
def ger(self: TensorLike, vec2: TensorLike) -> Tensor: ...
def grid_sampler(
    input: TensorLike, grid: TensorLike, interpolation_mode: int, padding_mode: int, align_corners: _bool
) -> Tensor: ...
def grid_sampler_2d(
    input: TensorLike, grid: TensorLike, interpolation_mode: int, padding_mode: int, align_corners: _bool
) -> Tensor: ...
def grid_sampler_3d(
    input: TensorLike, grid: TensorLike, interpolation_mode: int, padding_mode: int, align_corners: _bool
) -> Tensor: ...
def group_norm(
    input: TensorLike,
    num_groups: int,
    weight: TensorLike | None = None,
    bias: TensorLike | None = None,
    eps: float = 1.0000000000000001e-05,
    cudnn_enabled: _bool = True,
) -> Tensor: ...
def gru(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]: ...
def gru_cell(
    input: TensorLike,
    hx: TensorLike,
    w_ih: TensorLike,
    w_hh: TensorLike,
    b_ih: TensorLike | None = None,
    b_hh: TensorLike | None = None,
) -> Tensor: ...
def inner(self: TensorLike, other: TensorLike) -> Tensor: ...
def instance_norm(
    input: TensorLike,
    weight: TensorLike | None,
    bias: TensorLike | None,
    running_mean: TensorLike | None,
    running_var: TensorLike | None,
    use_input_stats: _bool,
    momentum: float,
    eps: float,
    cudnn_enabled: _bool,
) -> Tensor: ...
def istft(
    self: TensorLike,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: TensorLike | None = None,
    center: _bool = True,
    normalized: _bool = False,
    onesided: _bool | None = None,
    length: int | None = None,
    return_complex: _bool = False,
) -> Tensor: ...
def layer_norm(
    input: TensorLike,
    normalized_shape: Sequence[int],
    weight: TensorLike | None = None,
    bias: TensorLike | None = None,
    eps: float = 1.0000000000000001e-05,
    cudnn_enable: _bool = True,
) -> Tensor: ...
def linalg_matmul(self: TensorLike, other: TensorLike) -> Tensor: ...
def linalg_multi_dot(tensors: Sequence[TensorLike]) -> Tensor: ...
def lstm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]: ...
def lstm_cell(
    input: TensorLike,
    hx: Sequence[TensorLike],
    w_ih: TensorLike,
    w_hh: TensorLike,
    b_ih: TensorLike | None = None,
    b_hh: TensorLike | None = None,
) -> tuple[Tensor, Tensor]: ...
def matmul(self: TensorLike, other: TensorLike) -> Tensor: ...
def max_pool1d(
    self: TensorLike,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    ceil_mode: _bool = False,
) -> Tensor: ...
def max_pool1d_with_indices(
    self: TensorLike,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    ceil_mode: _bool = False,
) -> tuple[Tensor, Tensor]: ...
def max_pool2d(
    self: TensorLike,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: _bool = False,
) -> Tensor: ...
def max_pool2d_with_indices(
    self: TensorLike,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: _bool = False,
) -> tuple[Tensor, Tensor]: ...
def max_pool3d(
    self: TensorLike,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: _bool = False,
) -> Tensor: ...
def max_pool3d_with_indices(
    self: TensorLike,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: _bool = False,
) -> tuple[Tensor, Tensor]: ...
def mv(self: TensorLike, vec: TensorLike) -> Tensor: ...
def native_batch_norm(
    input: TensorLike,
    weight: TensorLike | None,
    bias: TensorLike | None,
    running_mean: TensorLike | None,
    running_var: TensorLike | None,
    training: _bool,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]: ...
def native_channel_shuffle(self: TensorLike, groups: int) -> Tensor: ...
def native_group_norm(
    input: TensorLike,
    weight: TensorLike | None,
    bias: TensorLike | None,
    N: int,
    C: int,
    HxW: int,
    group: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]: ...
def native_layer_norm(
    input: TensorLike, normalized_shape: Sequence[int], weight: TensorLike | None, bias: TensorLike | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]: ...
def outer(self: TensorLike, vec2: TensorLike) -> Tensor: ...
def pixel_shuffle(self: TensorLike, upscale_factor: int) -> Tensor: ...
def pixel_unshuffle(self: TensorLike, downscale_factor: int) -> Tensor: ...
def rms_norm(
    input: TensorLike, normalized_shape: Sequence[int], weight: TensorLike | None = None, eps: float | None = None
) -> Tensor: ...
def rnn_relu(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]: ...
def rnn_relu_cell(
    input: TensorLike,
    hx: TensorLike,
    w_ih: TensorLike,
    w_hh: TensorLike,
    b_ih: TensorLike | None = None,
    b_hh: TensorLike | None = None,
) -> Tensor: ...
def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]: ...
def rnn_tanh_cell(
    input: TensorLike,
    hx: TensorLike,
    w_ih: TensorLike,
    w_hh: TensorLike,
    b_ih: TensorLike | None = None,
    b_hh: TensorLike | None = None,
) -> Tensor: ...
def scaled_dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    attn_mask: TensorLike | None = None,
    dropout_p: float = 0.0,
    is_causal: _bool = False,
    *,
    scale: float | None = None,
    enable_gqa: _bool = False,
) -> Tensor: ...
def stft(*args: Any, **kwargs: Any) -> Tensor: ...
def tensordot(self: TensorLike, other: TensorLike, dims_self: Sequence[int], dims_other: Sequence[int]) -> Tensor: ...
def upsample_bicubic2d(*args: Any, **kwargs: Any) -> Tensor: ...
def upsample_bilinear2d(*args: Any, **kwargs: Any) -> Tensor: ...
def upsample_linear1d(*args: Any, **kwargs: Any) -> Tensor: ...
def upsample_nearest1d(*args: Any, **kwargs: Any) -> Tensor: ...
def upsample_nearest2d(*args: Any, **kwargs: Any) -> Tensor: ...
def upsample_nearest3d(*args: Any, **kwargs: Any) -> Tensor: ...
def upsample_trilinear3d(*args: Any, **kwargs: Any) -> Tensor: ...
def vdot(self: TensorLike, other: TensorLike) -> Tensor: ...

uint8: DType
int8: DType
int16: DType
int32: DType
int64: DType
float16: DType
bfloat16: DType
float32: DType
float64: DType
complex64: DType
complex128: DType
bool: DType
qint8: DType
quint8: DType
qint32: DType

ops: dict[str, Callable[..., Any]]
dtypes: dict[str, DType]

def from_numpy(array: Buffer) -> Tensor: ...
def get_num_threads() -> int: ...
def set_num_threads(num_threads: int) -> None: ...
def init_num_threads() -> None: ...
def get_num_interop_threads() -> int: ...
def set_num_interop_threads(num_threads: int) -> None: ...
def check_num_threads(num_threads: int) -> int: ...
def enter_num_threads(num_threads: int) -> None: ...
def leave_num_threads() -> None: ...
def get_thread_num() -> int: ...
def in_parallel_region() -> _bool: ...
def parallel_info() -> str: ...
def build_info_json() -> str: ...
def dnn_runtime() -> str: ...
def describe_counts() -> dict[str, Any]: ...
def describe_backend() -> dict[str, Any]: ...
