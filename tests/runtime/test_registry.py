"""The op registry as Python sees it: schemas, matching of arguments, overloads, the stub file."""

from __future__ import annotations

import ast
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
import stub

import threadwheel as tw

X = np.ones((2, 3), "f4")


def test_every_schema_is_readable_and_fits_its_kernel() -> None:
    texts = tw._core._testing.check_schemas()
    assert len(texts) == len(set(texts))
    functions = filter(stub.is_function, texts)
    assert {text.split("(")[0].split(".")[0] for text in functions} == {f"aten::{name}" for name in tw._core.ops}


@pytest.mark.parametrize(
    "text",
    [
        "aten::a(Tensor(a!) self, *, int[2] stride=1, float? eps=1e-05, str mode='x', Device? d=None) -> Tensor(a!)",
        "aten::b.out(Tensor[] xs, int[1]? dim, bool flag=True, Scalar s=-1, int[] l=[1, 2]) -> (Tensor values, Tensor)",
        "aten::c(Tensor(a) self) -> Tensor(a)[]",
        "aten::_d() -> ()",
        "aten::e(Tensor x) -> Tensor y",
    ],
)
def test_schema_notation(text: str) -> None:
    assert tw._core._testing.parse_schema(text) == text.split("(")[0].split(".")[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("aten::a(Tensor self -> Tensor", "cannot be read at column 21; expected ',' or ')'"),
        ("aten::a(Tensor) -> Tensor", "cannot be read at column 15; expected a name"),
        ("aten::a() Tensor", "cannot be read at column 11; expected '->'"),
        ("aten::a(int x=) -> Tensor", "cannot be read at column 15; expected a value"),
        ("aten::a() -> Tensor x y", "cannot be read at column 23; expected the end"),
        ("", "cannot be read at column 1; expected a name"),
    ],
)
def test_unreadable_schemas_name_the_column(text: str, problem: str) -> None:
    with pytest.raises(RuntimeError) as error:
        tw._core._testing.parse_schema(text)
    assert str(error.value) == f"schema '{text}': {problem}"


MM = "expected aten::mm(Tensor self, Tensor mat2) -> Tensor"
ADD = "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"
ADD_OUT = "aten::add.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)"
ADD_SCALAR = "aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tw.mm(X), f"mm: argument 'mat2' is missing; {MM}"),
        (lambda: tw.mm(X, X, X), f"mm: takes 2 positional arguments, got 3; {MM}"),
        (lambda: tw.mm(X, "x"), f"mm: argument 'mat2' must be Tensor or numpy array, not str; {MM}"),
        (lambda: tw.mm(X, [[1.0]]), f"mm: argument 'mat2' must be Tensor or numpy array, not list; {MM}"),
        (lambda: tw.mm(X, 2.0), f"mm: argument 'mat2' must be Tensor or numpy array, not float; {MM}"),
        (lambda: tw.mm(X, None), f"mm: argument 'mat2' must be Tensor or numpy array, not NoneType; {MM}"),
        (lambda: tw.mm(X, mat2=X, mat3=X), f"mm: there is no argument 'mat3'; {MM}"),
        (lambda: tw.mm(X, X, mat2=X), f"mm: argument 'mat2' is given twice; {MM}"),
        (
            lambda: tw.add(X, "x"),
            "add: the arguments fit no overload; these are\n"
            f"  argument 'other' must be Tensor or numpy array, not str, for {ADD}\n"
            f"  argument 'other' must be a number, not str, for {ADD_SCALAR}\n"
            f"  argument 'other' must be Tensor or numpy array, not str, for {ADD_OUT}",
        ),
        (
            lambda: tw.conv2d(X, X, None, 1.5),
            "conv2d: the arguments fit no overload; these are\n"
            "  argument 'stride' must be an int or a tuple of ints, not float, for aten::conv2d(Tensor input, Tensor "
            "weight, Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] padding=[0, 0], SymInt[2] dilation=[1, 1], "
            "SymInt groups=1) -> Tensor\n"
            "  argument 'stride' must be an int or a tuple of ints, not float, for aten::conv2d.padding(Tensor input, "
            'Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], str padding="valid", SymInt[2] '
            "dilation=[1, 1], SymInt groups=1) -> Tensor",
        ),
    ],
)
def test_arguments_that_fit_no_schema(call: Any, text: str) -> None:
    with pytest.raises(TypeError) as error:
        call()
    assert str(error.value) == text


@pytest.mark.parametrize("dim", ("0", 1.0, True, ("0",), (1.0,)))
def test_dims_are_ints(dim: Any) -> None:
    with pytest.raises(TypeError, match=r"argument 'dim' must be"):
        tw.sum(X, dim)


def test_keywords_and_defaults() -> None:
    np.testing.assert_array_equal(tw.add(self=X, other=X, alpha=3).numpy(), X + 3 * X)
    np.testing.assert_array_equal(tw.add(X, 2, 3).numpy(), X + 6)
    np.testing.assert_array_equal(tw.sum(dim=1, self=X).numpy(), X.sum(1))
    assert "aten::add.Tensor" in tw.add.__doc__


def test_the_stub_file_lists_ops_and_dtypes() -> None:
    tree = ast.parse(files("threadwheel").joinpath("_core.pyi").read_text())
    listed = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    functions = {name for name in dir(tw._core) if callable(getattr(tw._core, name)) and not name.startswith("_")}
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    classes |= {node.targets[0].id for node in tree.body if isinstance(node, ast.Assign)}  # type: ignore[attr-defined]
    assert listed == set(tw._core.ops) | (functions - classes)
    variables = {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}  # type: ignore[union-attr]
    assert variables == {"ops", "dtypes", "dtype_aliases", *tw._core.dtypes}


def test_the_stub_file_has_the_signatures_of_the_registry() -> None:
    text = files("threadwheel").joinpath("_core.pyi").read_text()
    assert text == stub.updated(text, tw._core._testing.check_schemas()), "run python tests/runtime/stub.py"


def test_everything_public_is_there() -> None:
    for name in tw.__all__:
        assert getattr(tw, name) is not None
    assert set(tw._core.ops) <= set(tw.__all__)
