"""Freezing: what becomes constant and what does not, what is fused, and that results stay those of the module."""

from __future__ import annotations

from typing import Any

import archives
import numpy as np
import pytest
from archives import dict_of, instance, number, real, storage, tensor, text
from conftest import RunPython, random_array

import threadwheel as tw

Parameters = dict[str, np.ndarray | bytes]


def saved(forward: str, parameters: Parameters, more: str = "") -> bytes:
    """An archive of a module with these attributes: float32 tensors, or pickled values with their types in `more`."""
    contents: dict[str, bytes] = {}
    attributes, lines = [], []
    for name, value in parameters.items():
        if isinstance(value, bytes):
            attributes += [text(name), value]
            continue
        strides = tuple(s // 4 for s in value.strides)
        attributes += [text(name), tensor(value.shape, strides, source=storage(name, "Float", value.size))]
        contents[f"data/{name}"] = value.tobytes()
        lines.append(f"  {name} : Tensor\n")
    code = f"class Net(Module):\n{''.join(lines)}{more}{forward}"
    data = instance("__torch__.Net", dict_of(*attributes))
    made = {"code/__torch__.py": code.encode(), "version": b"10\n"}
    return archives.zipped(archives.records(data) | contents | made)


def loaded_and_frozen(forward: str, parameters: Parameters, more: str = "") -> tuple[Any, Any]:
    module = tw.jit.load(saved(forward, parameters, more))
    return module, tw.jit.freeze(module)


def body(*lines: str) -> str:
    return "  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n" + "".join(
        f"    {line}\n" for line in lines
    )


X = tw.from_numpy(random_array((2, 3, 8, 8)))


def test_branches_on_attributes_are_decided() -> None:
    forward = body(
        "if self.training:",
        "  _0 = torch.neg(x)",
        "else:",
        "  _0 = torch.mul(x, self.w)",
        "return _0",
    )
    module, frozen = loaded_and_frozen(forward, {"w": np.float32([2]), "training": b"\x89"}, "  training : bool\n")
    assert "prim::If" in module.forward.graph
    assert "prim::If" not in frozen.forward.graph
    assert "prim::GetAttr" not in frozen.forward.graph
    np.testing.assert_array_equal(np.asarray(frozen.forward(X)), np.asarray(X) * 2)


def test_attributes_that_are_set_stay_and_belong_to_the_copy() -> None:
    forward = body(
        "n = torch.add(self.n, 1)",
        "self.n = n",
        "return torch.mul(x, n)",
    )
    module, frozen = loaded_and_frozen(forward, {"n": number(0)}, "  n : int\n")
    for n in (1, 2, 3):
        np.testing.assert_array_equal(np.asarray(frozen.forward(X)), np.asarray(X) * n)
    assert (module.n, frozen.n) == (0, 3)


@pytest.mark.parametrize("alias", ["self.h", "torch.view(self.h, [3])", "torch.t(self.h)"])
def test_what_is_computed_from_a_written_tensor_is_computed_each_time(alias: str) -> None:
    forward = body(
        f"_0 = torch.add_({alias}, 1)",
        "return torch.mul(torch.neg(self.h), 2)",
    )
    _, frozen = loaded_and_frozen(forward, {"h": np.zeros(3, np.float32)})
    for n in (1, 2, 3):
        np.testing.assert_array_equal(np.asarray(frozen.forward(X)), np.full(3, -2 * n, np.float32))


def test_a_result_that_is_written_is_made_each_time() -> None:
    forward = body(
        "_0 = torch.neg(self.w)",
        "return torch.add_(_0, x)",
    )
    _, frozen = loaded_and_frozen(forward, {"w": np.ones((2, 3, 8, 8), np.float32)})
    for _ in range(2):
        np.testing.assert_array_equal(np.asarray(frozen.forward(X)), np.asarray(X) - 1)


def test_what_constants_give_is_computed_once() -> None:
    _, frozen = loaded_and_frozen(body("return torch.mul(x, torch.neg(self.w))"), {"w": np.float32([2])})
    assert "aten::neg" not in frozen.forward.graph
    np.testing.assert_array_equal(np.asarray(frozen.forward(X)), np.asarray(X) * -2)


def test_dropout_and_wrapped_integers_go() -> None:
    forward = body(
        "n = ops.prim.NumToTensor(torch.size(x, 0))",
        "y = torch.dropout(x, 0.5, self.training)",
        "return torch.mul(y, int(n))",
    )
    _, frozen = loaded_and_frozen(forward, {"training": b"\x89"}, "  training : bool\n")
    for op in ("aten::dropout", "prim::NumToTensor", "aten::Int"):
        assert op not in frozen.forward.graph
    np.testing.assert_array_equal(np.asarray(frozen.forward(X)), np.asarray(X) * 2)


def test_a_wrapped_integer_that_is_written_stays() -> None:
    forward = body(
        "n = ops.prim.NumToTensor(torch.size(x, 0))",
        "_0 = torch.add_(n, 1)",
        "return torch.mul(x, int(n))",
    )
    _, frozen = loaded_and_frozen(forward, {})
    np.testing.assert_array_equal(np.asarray(frozen.forward(X)), np.asarray(X) * 3)


def test_a_method_that_cannot_be_compiled_fails_when_it_is_called() -> None:
    bad = "  def bad(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n    return torch.no_such_op(x)\n"
    _, frozen = loaded_and_frozen(body("return torch.neg(x)") + bad, {})
    np.testing.assert_array_equal(np.asarray(frozen.forward(X)), -np.asarray(X))
    with pytest.raises(Exception, match="no_such_op"):
        frozen.bad(X)


def test_attributes_of_a_frozen_module_cannot_be_set() -> None:
    _, frozen = loaded_and_frozen(body("return torch.mul(x, self.k)"), {"k": real(2)}, "  k : float\n")
    with pytest.raises(
        ValueError, match=r"^__torch__.Net is frozen: 'k' cannot be set; set it in the module and freeze that$"
    ):
        frozen.k = 3.0


# --- fusion -----------------------------------------------------------------------------------------

ACTIVATIONS = [
    "torch.relu({})", "torch.relu_({})", "torch.hardtanh({}, -0.5, 0.5)", "torch.relu6({})", "torch.sigmoid({})",
    "torch.tanh({})", "torch.hardswish({})", "torch.hardsigmoid({})", "torch.silu({})", "torch.gelu({})",
    'torch.gelu({}, approximate="tanh")', "torch.clamp({}, -0.25, 0.75)",
]  # fmt: skip


def check_fused(module: Any, frozen: Any, op: str, *inputs: Any) -> None:
    """All ops but one went into it; the same results, twice: the second call finds the weight arranged."""
    ops = [
        line.split(" = ")[1].split("(")[0]
        for line in frozen.forward.graph.splitlines()
        if "ten::" in line or "wheel::" in line
    ]
    assert ops == [op]
    expected = np.asarray(module.forward(*inputs))
    for _ in range(2):
        np.testing.assert_allclose(np.asarray(frozen.forward(*inputs)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_linear_takes_in_an_activation(activation: str, rows: int) -> None:
    forward = body("y = torch.linear(x, self.w, self.b)", f"return {activation.format('y')}")
    module, frozen = loaded_and_frozen(forward, {"w": random_array((5, 6)), "b": random_array((5,), seed=1)})
    check_fused(module, frozen, "threadwheel::linear", tw.from_numpy(random_array((rows, 6), seed=2)))


def test_an_arranged_weight_still_serves_inputs_that_want_it_plain() -> None:
    module, frozen = loaded_and_frozen(body("return torch.linear(x, self.w, None)"), {"w": random_array((70, 130))})
    for rows in (9, 1, 40, 1, 9):
        x = tw.from_numpy(random_array((rows, 130), seed=rows))
        np.testing.assert_allclose(np.asarray(frozen.forward(x)), np.asarray(module.forward(x)), rtol=1e-5, atol=1e-5)


def test_weights_that_were_arranged_are_still_attributes(tmp_path: Any) -> None:
    path, w = tmp_path / "net.pt", random_array((128, 256))
    path.write_bytes(saved(body("return torch.linear(x, self.w, None)"), {"w": w}))
    x = tw.from_numpy(random_array((9, 256), seed=1))
    for change in (False, True):
        module = tw.jit.load(path)
        if change:
            module.w.mul_(2)
        frozen = tw.jit.freeze(module)
        for _ in range(2):
            np.testing.assert_allclose(np.asarray(frozen(x)), np.asarray(x) @ module.w.numpy().T, rtol=1e-4, atol=1e-4)
        for attribute in (module.w, frozen.w, tw.jit.load(path).w * (2 if change else 1)):
            np.testing.assert_array_equal(attribute.numpy(), w * (2 if change else 1))


def test_a_frozen_model_is_in_memory_once(run_python: RunPython, tmp_path: Any) -> None:
    forward = body(
        f"y = {CONVOLUTION.format(stride=1, groups=1)}",
        f"z = torch.relu_({NORM})",
        "return torch.linear(torch.flatten(z, 1), self.l, None)",
    )
    path = tmp_path / "net.pt"
    weights = {"l": np.ones((1024, 8192), np.float32)} | convolution_parameters(512, 1)
    path.write_bytes(saved(forward, weights))
    code = """
import sys, numpy as np, threadwheel as tw
tw.set_num_threads(1)
def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))
tw.conv2d(np.ones((2, 8, 4, 4), "f4"), np.ones((8, 8, 3, 3), "f4"))
before = resident()
frozen = tw.jit.freeze(tw.jit.load(sys.argv[1]))
for _ in range(2): frozen.forward(tw.from_numpy(np.ones((2, 512, 4, 4), np.float32)))
print(resident() - before)
"""
    grown = 1024 * int(run_python(code, str(path)).stdout)
    assert grown < 1.6 * sum(array.nbytes for array in weights.values())


CONVOLUTION = "torch.conv2d(x, self.w, None, [{stride}, {stride}], [1, 1], [1, 1], {groups})"
NORM = "torch.batch_norm(y, self.g, self.b, self.m, self.v, False, 0.1, 1e-05, True)"


def convolution_parameters(channels: int, groups: int, kernel: int = 3) -> Parameters:
    vectors = {name: random_array((channels,), seed=i) for i, name in enumerate("gbm")}
    return {
        "w": random_array((channels, channels // groups, kernel, kernel), seed=5),
        **vectors,
        "v": np.abs(random_array((channels,), seed=4)) + np.float32(0.5),
    }


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_convolution_takes_in_batch_norm_and_activation(activation: str) -> None:
    forward = body(f"y = {CONVOLUTION.format(stride=1, groups=1)}", f"z = {NORM}", f"return {activation.format('z')}")
    module, frozen = loaded_and_frozen(forward, convolution_parameters(8, 1))
    check_fused(module, frozen, "threadwheel::convolution", tw.from_numpy(random_array((2, 8, 9, 7))))


@pytest.mark.parametrize("groups", [1, 2, 8])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolutions_in_a_row_with_a_sum(groups: int, stride: int) -> None:
    """The first leaves its result to the second as it likes; what the program gives back is row-major."""
    convolution = CONVOLUTION.format(stride=stride, groups=groups)
    again = CONVOLUTION.format(stride=1, groups=groups).replace("(x", "(a")
    forward = body(
        f"y = {convolution}",
        f"a = torch.relu_({NORM})",
        f"y0 = {again}",
        "s = torch.add_(y0, a)",
        "return torch.relu_(s)",
    )
    module, frozen = loaded_and_frozen(forward, convolution_parameters(8, groups))
    x = tw.from_numpy(random_array((2, 8, 9, 7)))
    assert frozen.forward.graph.count("threadwheel::convolution") == 2
    assert "aten::" not in frozen.forward.graph
    expected, result = np.asarray(module.forward(x)), frozen.forward(x)
    assert result.is_contiguous()
    # Sums of large numbers that nearly cancel: the error is that of the largest.
    np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-4, atol=1e-6 * float(expected.max()))


@pytest.mark.parametrize("shape", [(4,), (1, 4), (3, 4), (2, 3, 4)])
def test_a_sum_may_broadcast(shape: tuple[int, ...]) -> None:
    forward = (
        "  def forward(self: __torch__.Net,\n    x: Tensor,\n    y: Tensor) -> Tensor:\n"
        "    return torch.add(y, torch.linear(x, self.w, None))\n"
    )
    module, frozen = loaded_and_frozen(forward, {"w": random_array((4, 6))})
    inputs = [tw.from_numpy(random_array((3, 6))), tw.from_numpy(random_array(shape, seed=1))]
    check_fused(module, frozen, "threadwheel::linear", *inputs)


@pytest.mark.parametrize("shape", [(3, 6), (2, 4, 6), (1, 4, 5, 6)])
def test_linear_takes_in_batch_norm_of_matrices(shape: tuple[int, ...]) -> None:
    forward = body("y = torch.linear(x, self.w, self.c)", f"return {NORM}")
    parameters = {name: random_array((4,), seed=i) for i, name in enumerate("cgbm")} | {"w": random_array((4, 6))}
    parameters["v"] = np.abs(random_array((4,), seed=9)) + 1
    module, frozen = loaded_and_frozen(forward, parameters)
    graph = frozen.forward.graph
    assert graph.count("aten::batch_norm") == 1 and graph.index("prim::If") < graph.index("aten::batch_norm")
    x = tw.from_numpy(random_array(shape, seed=3))
    np.testing.assert_allclose(np.asarray(frozen.forward(x)), np.asarray(module.forward(x)), rtol=1e-4, atol=1e-4)


def test_a_sum_in_place_keeps_the_sizes_of_the_product() -> None:
    forward = body("return torch.add_(torch.linear(x, self.w, None), self.b)")
    for module in loaded_and_frozen(forward, {"w": random_array((4, 6)), "b": random_array((5, 3, 4))}):
        with pytest.raises(ValueError, match=r"the result has sizes \[5, 3, 4\] and the tensor to write to \[3, 4\]"):
            module.forward(tw.from_numpy(random_array((3, 6))))


def test_a_product_that_is_used_twice_is_left_alone() -> None:
    forward = body("y = torch.linear(x, self.w, None)", "return torch.add(torch.relu(y), y)")
    module, frozen = loaded_and_frozen(forward, {"w": random_array((4, 6))})
    assert "aten::relu" in frozen.forward.graph
    x = tw.from_numpy(random_array((3, 6)))
    np.testing.assert_allclose(np.asarray(frozen.forward(x)), np.asarray(module.forward(x)), rtol=1e-5, atol=1e-6)


def test_a_product_does_not_move_past_a_write_to_its_input() -> None:
    forward = body("y = torch.linear(x, self.w, None)", "_0 = torch.zero_(x)", "return torch.relu(y)")
    module, frozen = loaded_and_frozen(forward, {"w": random_array((4, 6))})
    results = [np.asarray(m.forward(tw.from_numpy(random_array((3, 6))))) for m in (module, frozen)]
    np.testing.assert_array_equal(*results)


def test_a_written_weight_is_not_kept_arranged() -> None:
    forward = body("_0 = torch.mul_(self.w, 2)", "return torch.linear(x, self.w, None)")
    _, frozen = loaded_and_frozen(forward, {"w": np.ones((4, 6), np.float32)})
    assert "threadwheel::" not in frozen.forward.graph
    x = tw.from_numpy(np.ones((3, 6), np.float32))
    assert [float(np.asarray(frozen.forward(x))[0, 0]) for _ in range(3)] == [12, 24, 48]


def test_onednn_arranges_a_weight_once_for_all_sizes_of_input(
    run_python: RunPython, build: dict[str, Any], variant: str, tmp_path: Any
) -> None:
    if "onednn" not in build["libraries"]:
        pytest.skip(f"{variant} has no oneDNN")
    path = tmp_path / "net.pt"
    path.write_bytes(saved(body("return torch.linear(x, self.w, None)"), {"w": random_array((64, 64))}))
    code = """
import sys, numpy as np, threadwheel as tw
module = tw.jit.freeze(tw.jit.load(sys.argv[1]))
tw.set_num_threads(1)
for rows in (40, 41, 42, 40): module.forward(tw.from_numpy(np.ones((rows, 64), np.float32)))
"""
    lines = [line for line in run_python(code, str(path), ONEDNN_VERBOSE="1").stdout.splitlines() if ",exec," in line]
    assert [line.split(",exec,")[1].split(",")[1] for line in lines] == ["reorder", *["matmul"] * 4]


def test_onednn_runs_the_epilogue_in_its_primitive(
    run_python: RunPython, build: dict[str, Any], variant: str, tmp_path: Any
) -> None:
    if "onednn" not in build["libraries"]:
        pytest.skip(f"{variant} has no oneDNN")
    forward = body(f"y = {CONVOLUTION.format(stride=1, groups=1)}", f"z = {NORM}", "return torch.relu_(z)")
    path = tmp_path / "net.pt"
    path.write_bytes(saved(forward, convolution_parameters(16, 1)))
    code = """
import sys, numpy as np, threadwheel as tw
tw.jit.freeze(tw.jit.load(sys.argv[1])).forward(tw.from_numpy(np.ones((1, 16, 32, 32), np.float32)))
"""
    lines = [
        line
        for line in run_python(code, str(path), ONEDNN_VERBOSE="1").stdout.splitlines()
        if ",exec," in line and "reorder" not in line
    ]
    assert len(lines) == 1
    assert ",convolution," in lines[0]
    assert "eltwise_relu" in lines[0]


# --- attention ----------------------------------------------------------------------------------------------


def attention(scores: str, *, softmax: str = "torch.softmax(s, -1)", after: str = "") -> str:
    """softmax(query @ keys ...) @ value, with m to add."""
    arguments = ",\n".join(f"    {name}: Tensor" for name in "qkvm")
    lines = ["s = torch.matmul(q, torch.transpose(k, -2, -1))", f"s = {scores}", f"p = {softmax}", *after.splitlines()]
    code = "".join(f"    {line}\n" for line in [*lines, "return torch.matmul(p, v)"])
    return f"  def forward(self: __torch__.Net,\n{arguments}) -> Tensor:\n{code}"


SCORES = [
    "torch.div(s, 2.5)", "torch.mul(s, 0.3)", "torch.div(s, self.c)", "torch.add(s, m)",
    "torch.add(torch.div(s, self.c), m)", "torch.add(m, torch.mul(s, 2))",
]  # fmt: skip


def attend_both(forward: str, *inputs: np.ndarray[Any, Any]) -> tuple[Any, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    module, frozen = loaded_and_frozen(forward, {"c": np.array(5.5, np.float32)})
    results = [np.asarray(each.forward(*map(tw.from_numpy, inputs))) for each in (module, frozen)]
    return frozen.forward.graph, *results


@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_attention_that_is_written_out_becomes_one_op(scores: str, dtype: Any) -> None:
    q, k, v = (random_array((2, 3, rows, 8), seed=rows).astype(dtype) / 8 for rows in (70, 65, 65))
    mask = np.where(random_array((2, 1, 1, 65), seed=5) < 0.7, 0, -np.inf).astype(dtype)
    graph, expected, result = attend_both(attention(scores), q, k, v, mask)
    assert "threadwheel::attention" in graph and "aten::softmax" not in graph
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_attention_to_nothing_is_nan_when_it_is_written_out() -> None:
    q, k, v = (random_array((5, 4), seed=i) for i in range(3))
    mask = np.zeros((5, 5), np.float32)
    mask[2] = -np.inf
    graph, expected, result = attend_both(attention("torch.add(s, m)"), q, k, v, mask)
    assert "threadwheel::attention" in graph
    assert np.isnan(expected[2]).all() and np.isnan(result[2]).all()
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("shapes", "dtype"),
    [
        ([(5, 4), (6, 4), (6, 3), (2, 5, 6)], np.float32),  # a mask that makes more scores than there are
        ([(4,), (6, 4), (6, 3), (6,)], np.float32),  # a vector
        ([(2, 1, 5, 4), (3, 6, 4), (6, 2), (1, 6)], np.float32),  # batches that broadcast
        ([(5, 4), (6, 4), (6, 3), (1,)], np.float16),
    ],
)
def test_attention_of_other_forms_is_what_its_steps_give(shapes: list[tuple[int, ...]], dtype: Any) -> None:
    inputs = [random_array(shape, seed=i).astype(dtype) for i, shape in enumerate(shapes)]
    _, expected, result = attend_both(attention("torch.add(torch.div(s, self.c), m)"), *inputs)
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(result, expected, rtol=1e-5 if dtype == np.float32 else 4e-3, atol=1e-6)


def test_attention_of_sizes_that_disagree_says_so() -> None:
    _, frozen = loaded_and_frozen(attention("torch.add(s, m)"), {})
    inputs = [tw.from_numpy(random_array(shape)) for shape in [(5, 4), (6, 3), (6, 3), (1,)]]
    with pytest.raises(ValueError, match="matmul"):
        frozen.forward(*inputs)


@pytest.mark.parametrize(
    "forward",
    [
        attention("torch.add(s, m)", softmax="torch.softmax(s, -2)"),
        attention("torch.add(s, m, alpha=2)"),
        attention("torch.div(s, 2.5)", after="p = torch.add(p, torch.mean(p))"),  # the probabilities are looked at
        attention("torch.div(s, 2.5)", after="_0 = torch.zero_(v)\n_1 = torch.zero_(q)"),  # the query is written
    ],
)
def test_what_only_looks_like_attention_is_left_alone(forward: str) -> None:
    q, k, v = (random_array((5, 5), seed=i) for i in range(3))
    graph, expected, result = attend_both(forward, q.copy(), k, v.copy(), random_array((5, 5), seed=4))
    assert "threadwheel::attention" not in graph
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


class Inner(tw.nn.Module):
    def forward(self, x: tw.Tensor) -> tw.Tensor:
        return x + 100 if self.training else x


class Outer(tw.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = tw.nn.Sequential(Inner())

    def forward(self, x: tw.Tensor) -> tw.Tensor:
        return self.inner(x)


def test_modes_reach_the_modules_inside() -> None:
    module = tw.jit.script(Outer())
    x = tw.ones(1)
    assert module(x).item() == 101
    assert module.eval() is module
    assert module(x).item() == 1
    assert module.train()(x).item() == 101
    assert module.train(False)(x).item() == 1


def test_a_frozen_module_stays_in_its_mode() -> None:
    frozen = tw.jit.freeze(tw.jit.script(Outer()).eval())
    assert frozen.eval() is frozen
    with pytest.raises(ValueError, match="is frozen in evaluation mode; set the mode of the module, then freeze that"):
        frozen.train()
    assert frozen(tw.ones(1)).item() == 1
