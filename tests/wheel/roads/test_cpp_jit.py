"""TorchScript from C++: one program, built once with the installed headers, runs archives with every wheel, no Python."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, build_against, install_wheel, prefix_of, run

sys.path.insert(0, str(ROOT / "tests" / "runtime"))
from archives import dict_of, instance, records, text, zipped

PROGRAM = ROOT / "tests" / "data" / "inference"
ZOO = ROOT / "tests" / "data" / "torchscript" / "zoo"
# Numbers of inputs. The second forks and waits and gives a tuple with a list; the third takes integers.
MODELS = {"lenet_script": 1, "fork_join_script": 1, "bert_small_script": 2}

CODE = b"""\
class M(Module):
  training : bool
  def scaled(self: __torch__.M, x: Tensor, words: List[str], scale: float=0.5) -> Tensor:
    return torch.add(x, torch.mul(scale, torch.len(words)))
  def shuffled(self: __torch__.M, a: bool, b: int, c: float, d: str, e: Optional[int], f: Dict[str, int],
      g: Tuple[int, str]) -> Tuple[Tuple[int, str], Dict[str, int], Optional[int], str, float, int, bool]:
    return (g, f, e, d, c, b, a)
  def appended(self: __torch__.M, a: List[int]) -> List[int]:
    _0 = torch.append(a, 3)
    return a
  def increase(self: __torch__.M, x: Tensor) -> Tensor:
    return torch.add_(x, 1)
  def product(self: __torch__.M, x: Tensor, y: Tensor) -> Tensor:
    return torch.mm(x, y)
  def index(self: __torch__.M, x: Tensor, i: Tensor) -> Tensor:
    return torch.index_select(x, 0, i)
  def raises(self: __torch__.M, word: str) -> NoneType:
    ops.prim.RaiseException(word, "builtins.ValueError")
    return None
  def itself(self: __torch__.M) -> __torch__.M:
    return self
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled against the native wheel, whose environment is gone afterwards."""
    folder = tmp_path_factory.mktemp("inference")
    environment = install_wheel(folder / "venv", "native")
    path = build_against(prefix_of(environment, folder), PROGRAM, folder / "build") / "inference"
    environment.folder.rename(folder / "moved")
    return path


@pytest.fixture(scope="module", params=["omp", "tbb", "native"])
def libraries(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the library in an environment with the wheel of one backend."""
    folder = tmp_path_factory.mktemp(request.param)
    return prefix_of(install_wheel(folder / "venv", request.param), folder) / "lib"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "values.pt"
    data = instance("__torch__.M", dict_of(text("training"), b"\x89"))
    path.write_bytes(zipped(records(data) | {"code/__torch__.py": CODE}))
    return path


def inference(
    program: Path, libraries: Path, *arguments: str | Path, ok: bool = True
) -> subprocess.CompletedProcess[str]:
    return run(program, *arguments, cwd=program.parent, ok=ok, LD_LIBRARY_PATH=str(libraries))


@pytest.mark.parametrize("name", MODELS)
def test_models_give_the_results_of_torch(program: Path, libraries: Path, tmp_path: Path, name: str) -> None:
    """As loaded, frozen and from memory, four threads at once; the program also looks that no Python is mapped."""
    with zipfile.ZipFile(ZOO / f"{name}.npz") as golden:
        golden.extractall(tmp_path)
    files = sorted(tmp_path.glob("a*.npy"))  # inputs, then results
    inference(program, libraries, "run", ZOO / f"{name}.pt", str(MODELS[name]), *files)


def test_values_of_every_kind_pass_the_border(program: Path, libraries: Path, archive: Path) -> None:
    inference(program, libraries, "values", archive)


# The number of the error's code, and what its text must match.
REFUSALS = {
    "dtype": (1, r"^mm: .*float32.*int64.*in __torch__.M.product, code/__torch__.py:.*torch.mm\(x, y\)"),
    "index": (4, r"^index_select: the index is float32; it must be int64 or int32\s+in __torch__.M.index, code/"),
    "shape": (1, r"mm: .*\[6\].*in __torch__.M.product, code/__torch__.py:.*torch.mm\(x, y\)"),
    "many": (0, r"^__torch__.M.appended: takes 1 arguments, got 2$"),
    "few": (0, r"^__torch__.M.scaled: argument 'words' is missing$"),
    "kind": (0, r"^__torch__.M.scaled: argument 'words' element 0 must be str, not an int$"),
    "named": (0, r"^__torch__.M.appended: there is no such named argument$"),
    "method": (0, r"^__torch__.M has no method 'forward'$"),
    "raise": (1, r"^words\s+in __torch__.M.raises, code/__torch__.py:.*ops.prim.RaiseException"),
    "object": (
        2,
        r"^__torch__.M.itself: the result holds an object of __torch__.M, which has no form in C\+\+; return ",
    ),
    "result": (0, r"^value: it is a list, not a tensor$"),
    "complex": (0, r"^value: it is a string, not a complex number$"),
    "unsigned": (1, r"^int: 18446744073709551615 does not fit in 64 bits with a sign; use a smaller number$"),
    "read-only": (1, r"^add: the tensor to write to is read-only; pass a copy of it\s+in __torch__.M.increase"),
    "write": (1, r"^data: the memory may only be read; ask for data<const T>\(\), or copy it$"),
    "element": (0, r"^data: the tensor is float32, not float64$"),
    "undefined": (1, r"^tensor: it is undefined; make one with Tensor::empty or from_blob$"),
    "sizes": (1, r"^tensor: sizes are \[2, -3\]; a size must be 0 or more$"),
    "strides": (1, r"^from_blob: there are 1 strides for 2 sizes; expected as many, or none for contiguous elements$"),
    "backwards": (1, r"^from_blob: strides \[-1\] with sizes \[6\] are not in memory; a stride must be 0 or more$"),
    "far": (1, r"^from_blob: strides \[9223372036854775807\] with sizes \[2\] are not in memory; a stride must be 0 "),
    "large": (1, r"^from_blob: sizes \[4611686018427387904\] do not fit in memory$"),
    "number": (1, r"^dtype: 99 is none; float32 is 6, int64 is 4$"),
    "null": (1, r"^from_blob: the address is null for sizes \[6\]$"),
    "aligned": (1, r"^from_blob: the address is not aligned for float32; expected a multiple of 4$"),
    "quantized": (2, r"^empty: a tensor of qint8 needs a scale, which only programs can give$"),
    "key": (0, r"^value: a key of a dict is a tensor; expected a bool, an int, a double or a string$"),
}


def test_what_is_wrong_is_a_caught_error_that_says_it(program: Path, libraries: Path, archive: Path) -> None:
    """Those of a program with its line; by their codes, which are of threadwheel/error.h."""
    output = inference(program, libraries, "refusals", archive).stdout
    found = {name: (int(code), rest) for name, code, rest in re.findall(r"(?ms)^([\w-]+): (\d): (.*?)\n\n", output)}
    assert list(found) == list(REFUSALS)
    for name, (code, pattern) in REFUSALS.items():
        assert found[name][0] == code, (name, found[name])
        assert re.search(pattern, found[name][1], re.DOTALL), (name, found[name])


def test_files_that_are_none_end_the_program_with_its_own_words(
    program: Path, libraries: Path, tmp_path: Path, archive: Path
) -> None:
    damaged = tmp_path / "damaged.pt"
    whole = archive.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    cases = {
        tmp_path / "missing.pt": r"archive '.*missing\.pt': cannot open it: No such file or directory",
        damaged: r"archive '.*damaged\.pt': begins as a zip archive but has no end record; the file is damaged",
        PROGRAM / "CMakeLists.txt": r"archive '.*CMakeLists\.txt': begins with .* and is no zip archive",
    }
    for path, pattern in cases.items():
        done = inference(program, libraries, "values", path, ok=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.match(pattern, done.stderr), done.stderr


def test_the_program_needs_no_python_and_names_no_backend(program: Path) -> None:
    needed = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    assert "libthreadwheel.so" in needed
    assert not [name for name in ("libpython", "libgomp", "libtbb", "libdnnl", "RUNPATH", "RPATH") if name in needed]
