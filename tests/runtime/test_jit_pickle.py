"""Pickle and copy of modules: by where they came from, with what has changed since; and of what cannot travel."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archives import dict_of, instance, number, package, records, tensor, text, zipped
from conftest import RunPython
from goldens import DATA, check_case

import threadwheel as tw
from threadwheel import jit

CODE = """\
class M(Module):
  w : Tensor
  v : Tensor
  calls : int
  part : __torch__.Part
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    self.calls = torch.add(self.calls, 1)
    part = self.part
    _0 = torch.append(part.seen, self.calls)
    return torch.add(torch.mul(x, self.w), self.v)
class Part(Module):
  seen : List[int]
"""
PART = instance("__torch__.Part", dict_of(text("seen"), b"]"))
ZOO = DATA / "zoo"
X = np.array([[1, -1], [2, 0.5]], "f4")


def archive(*weights: float) -> bytes:
    """Of a module that counts its calls; `w` and `v` are one tensor, the four numbers."""
    shared = tensor() + b"q\x01"  # remembered under 1
    state = dict_of(text("w"), shared, text("v"), b"h\x01", text("calls"), number(0), text("part"), PART)
    data = np.array(weights or (1, 2, 3, 4), "f4").tobytes()
    return zipped(records(instance("__torch__.M", state)) | {"data/0": data, "code/__torch__.py": CODE.encode()})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "m.pt").write_bytes(archive())
    return tmp_path / "m.pt"


def sent(value: Any, protocol: int = 5) -> Any:
    return pickle.loads(pickle.dumps(value, protocol))


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize("frozen", [False, True], ids=["loaded", "frozen"])
@pytest.mark.parametrize("source", ["path", "bytes"])
def test_what_comes_back_computes_the_same(path: Path, source: str, frozen: bool, protocol: int) -> None:
    module = jit.load(path if source == "path" else path.read_bytes())
    back = sent(jit.freeze(module) if frozen else module, protocol)
    assert np.array_equal(np.asarray(back(X)), np.asarray(module(X)))
    assert np.array_equal(np.asarray(sent(back, protocol)(X)), np.asarray(module(X)))
    if frozen:
        with pytest.raises(ValueError, match="is frozen: 'calls' cannot be set"):
            back.calls = 3


@pytest.mark.parametrize("archive", sorted(ZOO.glob("*.pt")), ids=lambda archive: archive.stem)
def test_models_travel_by_path_without_their_weights(archive: Path) -> None:
    sent_bytes = pickle.dumps(jit.load(archive))
    assert len(sent_bytes) < 300 + len(os.fsencode(archive))
    check_case(pickle.loads(sent_bytes), archive.with_suffix(".npz").read_bytes())


def test_a_relative_path_means_the_same_file_elsewhere(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    module = jit.load("m.pt")
    monkeypatch.chdir("/")
    assert sent(module).calls == 0


def test_one_of_several_models_stays_that_one() -> None:
    data = package(one=1, two=2)
    assert [sent(jit.load(data, model=name))() for name in ("one", "two")] == [1, 2]


# --- what has changed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [sent, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_changes_go_along_and_stay_apart_from_then_on(path: Path, copied: Any) -> None:
    module = jit.load(path)
    module(X)
    np.asarray(module.w)[0, 0] = np.nan  # written in place: `v` too
    back = copied(module)
    assert (back.calls, back.part.seen) == (1, [1])
    assert np.array_equal(np.asarray(back(X)), np.asarray(module(X)), equal_nan=True)
    np.asarray(back.w)[0, 0] = 7
    assert np.asarray(back.v)[0, 0] == 7 and np.isnan(np.asarray(module.w)[0, 0])
    back(X)
    assert (back.calls, module.calls, module.part.seen) == (3, 2, [1, 2])
    assert np.array_equal(np.asarray(jit.load(path).w), [[1, 2], [3, 4]])


def test_a_frozen_module_keeps_what_it_had_when_it_was_frozen(path: Path) -> None:
    module = jit.load(path)
    module.w = np.full((2, 2), 10, "f4")
    frozen = jit.freeze(module)
    module.w = np.zeros((2, 2), "f4")
    frozen(X)
    back = sent(frozen)
    assert np.asarray(back(X)).tolist() == [[11, -8], [23, 9]]
    assert (back.calls, back.part.seen, module.calls) == (2, [1, 2], 0)


def test_attributes_that_were_exchanged_keep_their_values(path: Path) -> None:
    module = jit.load(path)
    other = jit.load(path)
    other(X)
    module.part = other.part
    with pytest.raises(TypeError, match=r"__torch__\.Part.* is a part of a program; pickle the module that was loaded"):
        pickle.dumps(module.part)
    assert sent(module).part.seen == [1]


# --- compiled modules --------------------------------------------------------------------------------------

COMPILED = """
import pickle, sys
import numpy as np
import threadwheel as tw

class Scale(tw.nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.calls = 0
        self.w = tw.full((2,), 3.0)

    def forward(self, x):
        self.calls += 1
        return x * self.factor * self.w

class Net(tw.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = tw.nn.Sequential(Scale(2.0), Scale(5.0))

    def forward(self, x):
        return self.layers(x)

    @tw.jit.export
    def again(self, x):
        return self.forward(self.forward(x))
"""


def test_a_compiled_module_is_compiled_again_where_it_arrives(run_python: RunPython, tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(COMPILED)
    send = """
import sys; sys.path.insert(0, sys.argv[1])
from nets import *
net = tw.jit.script(Net())
net(tw.ones(2))
getattr(net.layers, "1").factor = 7.0
np.asarray(getattr(net.layers, "0").w)[0] = 1
open(sys.argv[1] + "/net.pkl", "wb").write(pickle.dumps([net, tw.jit.freeze(net)]))
"""
    receive = """
import sys; sys.path.insert(0, sys.argv[1])
import pickle, threadwheel as tw
for net in pickle.load(open(sys.argv[1] + "/net.pkl", "rb")):
    print(net(tw.ones(2)).tolist(), getattr(net.layers, "0").calls, [net.again(tw.ones(2)).tolist()])
"""
    run_python(send, str(tmp_path))
    line = "[42.0, 126.0] 2 [[1764.0, 15876.0]]\n"
    assert run_python(receive, str(tmp_path)).stdout == line * 2


class Grows(tw.nn.Module):
    def forward(self, x: tw.Tensor) -> tw.Tensor:
        return x


def test_a_source_that_has_other_attributes_now_is_refused() -> None:
    source = Grows()
    module = jit.script(source)
    source.more = 1  # type: ignore[attr-defined]
    with pytest.raises(
        ValueError, match=r"Grows.*: what it was made of has other attributes now; make the module again"
    ):
        pickle.dumps(module)


# --- what cannot travel ------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["pickled", "restored"])
def test_a_path_that_holds_another_file_is_refused(path: Path, moment: str) -> None:
    module = jit.load(path)
    sent_bytes = pickle.dumps(module)
    other = path.with_name("other.pt")
    other.write_bytes(archive(1, 2, 3, 5))
    other.rename(path)
    with pytest.raises(tw.ArgumentError) as error:
        pickle.dumps(module) if moment == "pickled" else pickle.loads(sent_bytes)
    assert str(error.value) == (
        f"pickle: {str(path)!r} is not the file that the module was loaded from; "
        "load the module anew, or load its bytes, which travel with it"
    )


def test_a_file_that_is_gone_is_named(path: Path) -> None:
    sent_bytes = pickle.dumps(jit.load(path))
    path.unlink()
    with pytest.raises(RuntimeError, match=r"archive '.*/m\.pt': cannot open it: No such file or directory"):
        pickle.loads(sent_bytes)


def test_functions_of_programs_are_refused_with_what_to_do(path: Path) -> None:
    with pytest.raises(TypeError) as error:
        pickle.dumps(jit.load(path).forward)
    assert str(error.value) == (
        "pickle: __torch__.M.forward is a function of a program; pickle its module, or compile it where it is needed"
    )
