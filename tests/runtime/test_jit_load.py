"""Loading: what archives may hold beside a plain model."""

from __future__ import annotations

import io
import struct
import zipfile

import archives
import numpy as np
import pytest

import threadwheel as tw
from threadwheel import jit

# An object of class __torch__.M with the attribute training = False.
ROOT = b"\x80\x02c__torch__\nM\nq\x00)\x81}(X\x08\x00\x00\x00trainingq\x01\x89ub."


def archive(code: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as records:
        records.writestr("m/data.pkl", ROOT)
        records.writestr("m/constants.pkl", b"\x80\x02).")
        records.writestr("m/version", "3\n")
        records.writestr("m/code/__torch__.py", code)
    return file.getvalue()


def test_the_only_model_of_a_package_needs_no_name() -> None:
    assert jit.load(archives.package(one=1))() == 1


@pytest.mark.parametrize(
    ("data", "name", "text"),
    [
        (archives.package(one=1, two=2), "", "has no model ''; choose from 'one', 'two'"),
        (archives.package(one=1, two=2), "three", "has no model 'three'; choose from 'one', 'two'"),
        (archives.archive(), "one", "has no model 'one'; it is no torch.package, leave the name out"),
    ],
)
def test_models_that_are_not_there_are_refused(data: bytes, name: str, text: str) -> None:
    with pytest.raises(tw.ArgumentError, match=f"^archive in memory: {text}$"):
        jit.load(data, model=name)


def test_extra_files_are_filled_as_torch_fills_them() -> None:
    plain = zipfile.ZipFile(io.BytesIO(archive("class M(Module):\n  training : bool\n")))
    contents = {name.removeprefix("m/"): plain.read(name) for name in plain.namelist()}
    files = {"labels.txt": b"", "absent": b"before"}
    jit.load(archives.zipped(contents | {"extra/labels.txt": b"a"}), _extra_files=files)
    assert files == {"labels.txt": b"a", "absent": b""}


def test_functions_that_call_twice_do_not_fill_memory() -> None:
    """Each level doubles what inlining copies: 2 ** 17 bodies here, and any number of levels in a hostile file."""
    depth = 17
    functions = [
        f"def f{i}(x: Tensor) -> Tensor:\n  a = __torch__.f{i + 1}(x, )\n  return __torch__.f{i + 1}(a, )\n"
        for i in range(depth)
    ]
    last = f"def f{depth}(x: Tensor) -> Tensor:\n  return torch.relu(x)\n"
    module = (
        "class M(Module):\n  training : bool\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n"
        "    return __torch__.f0(x, )\n"
    )
    loaded = jit.load(archive("".join([*functions, last, module])))
    assert np.asarray(loaded(np.array([-1, 2], "f4"))).tolist() == [0, 2]
    assert loaded.training is False


def test_lists_of_a_tensor_are_what_the_archive_says() -> None:
    code = (
        "class M(Module):\n  training : bool\n  def forward(self: __torch__.M,\n    x: Tensor) -> List[List[float]]:\n"
        "    return annotate(List[List[float]], x.tolist())\n"
        "  def sum(self: __torch__.M,\n    x: Tensor) -> int:\n"
        "    return annotate(int, torch.sum(x).tolist())\n"
    )
    loaded = jit.load(archive(code))
    assert loaded(np.array([[1, 2], [3, 4]], "f4")) == [[1, 2], [3, 4]]
    assert loaded.sum(np.array([1, 2])) == 3
    with pytest.raises(RuntimeError, match="tolist: the tensor has 1 dimensions and the annotation 2"):
        loaded(np.ones(2, "f4"))


@pytest.mark.parametrize("frozen", [False, True])
def test_constants_of_traces_are_numbers_where_they_are_second_operands(frozen: bool) -> None:
    """torch's executor makes numbers of them: an integer times 1.5 is float32, times a float64 tensor float64."""
    half = archives.tensor((), (), source=archives.storage("0", "Double", 1))
    code = (
        "class Net(Module):\n"
        "  def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:\n"
        "    c = CONSTANTS.c0\n"
        "    return (torch.add(x, c, alpha=2), torch.sub(x, c), torch.mul(x, c), torch.div(x, c), torch.mul(c, x))\n"
    )
    records = archives.records(archives.instance("__torch__.Net", archives.dict_of()))
    records |= {
        "constants.pkl": archives.pickled(archives.tuple_of(half)),
        "version": b"10\n",
        "constants/0": struct.pack("<d", 1.5),
        "code/__torch__.py": code.encode(),
    }
    module = jit.load(archives.zipped(records))
    results = (jit.freeze(module) if frozen else module)(tw.tensor([3]))
    assert [result.dtype for result in results] == [tw.float32] * 4 + [tw.float64]
    assert [result.item() for result in results] == [6, 1.5, 4.5, 2, 4.5]
    scalar, _, _, _, wide = (jit.freeze(module) if frozen else module)(tw.tensor(3.0))
    assert (scalar.dtype, wide.dtype) == (tw.float32, tw.float64)
