"""Ops of the scripting language on numbers, strings, lists and dicts, called as a program calls them.

Results are Python's, or TorchScript's where that differs: those are written down here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import threadwheel as tw

call_op = tw._core._testing.call_op


def run(name: str, *args: Any) -> Any:
    return call_op(name, *args)[0]


def mutate(name: str, *args: Any) -> Any:
    return call_op(name, *args)[1][0]


NUMBERS = [
    ("aten::add.int", (2**63 - 1, 1), -(2**63)),
    ("aten::add.int_float", (1, 0.5), 1.5),
    ("aten::add.int_complex", (1, 2j), 1 + 2j),
    ("aten::add", (True, 2), 3),
    ("aten::mul.int", (2**62, 4), 0),
    ("aten::div.int", (7, 2), 3.5),
    ("aten::div.int", (1, 0), math.inf),
    ("aten::floordiv.int", (7, -2), -4),
    ("aten::floordiv.int", (-(2**63), -1), -(2**63)),
    ("aten::floordiv.float", (7.5, -2.0), -4.0),
    ("aten::remainder.int", (7, -2), -1),
    ("aten::remainder.int", (-(2**63), -1), 0),
    ("aten::remainder.float", (7.5, -2.0), -0.5),
    ("aten::__round_to_zero_floordiv.int", (-7, 2), -3),
    ("aten::divmod.int", (7, -2), (-4, -1)),
    ("aten::divmod.float", (7.5, -2.0), (-4.0, -0.5)),
    ("aten::pow.int", (2, 3), 8.0),
    ("aten::pow.int", (2, -1), 0.5),
    ("aten::pow.int_to_int", (3, 4), 81),
    ("aten::fmod.int", (-7, 2), -1.0),
    ("aten::mathremainder.int", (7, 4), -1.0),
    ("aten::copysign.int", (1, -2), -1.0),
    ("aten::ldexp", (1.5, 3), 12.0),
    ("aten::ldexp", (1.5, 2**40), math.inf),
    ("aten::frexp", (10.0,), (0.625, 4)),
    ("aten::modf", (-3.25,), (-0.25, -3.0)),
    ("aten::gcd.int", (12, -18), 6),
    ("aten::factorial.int", (5,), 120),
    ("aten::factorial.int", (25,), 7034535277573963776),
    ("aten::__lshift__.int", (1, 4), 16),
    ("aten::__rshift__.int", (-8, 1), -4),
    ("aten::__and__.bool", (True, False), False),
    ("aten::__xor__.int", (6, 3), 5),
    ("aten::round.float", (2.5,), 2.0),
    ("aten::floor.float", (-2.5,), -3),
    ("aten::ceil.float", (-2.5,), -2),
    ("aten::sqrt.int", (4,), 2.0),
    ("aten::log.int_int", (8, 2), 3.0),
    ("prim::abs.int", (-5,), 5),
    ("prim::abs.complex", (3 + 4j,), 5.0),
    ("prim::abs.Scalar", (-2.5,), 2.5),
    ("prim::max.int_float", (1, 2.5), 2.5),
    ("prim::min.self_int", ([3, 1, 2],), 1),
    ("aten::eq.float_complex", (1.0, 1 + 0j), True),
    ("aten::lt", (1, 1.5), True),
    ("aten::Int.float", (-3.9,), -3),
    ("aten::Int.str", ("+12",), 12),
    ("aten::Int.str", (" \t-7",), -7),
    ("aten::Float.str", ("1.5",), 1.5),
    ("aten::Float.str", ("\n +1.5",), 1.5),
    ("aten::Bool.float", (0.5,), True),
    ("aten::__range_length", (0, 10, 3), 4),
    ("aten::__range_length", (10, 0, -3), 4),
    ("aten::__range_length", (-(2**63), 2**63 - 1, 2**62), 4),
    ("aten::__derive_index", (2, 1, -3), -5),
    ("aten::__is__", (None, None), True),
    ("aten::__isnot__", (1, None), True),
    ("aten::sum.bool", ([True, True],), 2),
    ("aten::any.int", ([0, 1],), True),
    ("aten::all.float", ([0.0, 1.0],), False),
]


@pytest.mark.parametrize(("name", "args", "expected"), NUMBERS)
def test_numbers(name: str, args: tuple[Any, ...], expected: Any) -> None:
    result = run(name, *args)
    assert result == expected
    assert type(result) is type(expected)


ERRORS = [
    ("aten::floordiv.int", (1, 0), ZeroDivisionError, "division by zero"),
    ("aten::remainder.int", (1, 0), ZeroDivisionError, "division by zero"),
    ("aten::divmod.float", (1.0, 0.0), ZeroDivisionError, "float divmod()"),
    ("aten::pow.int", (0, -1), ZeroDivisionError, "0.0 cannot be raised to a negative power"),
    ("aten::__lshift__.int", (1, -1), ValueError, "shift: the count is -1; it must be 0 or more"),
    ("aten::Int.float", (math.nan,), ValueError, "cannot convert float NaN to integer"),
    ("aten::Int.float", (1e30,), OverflowError, "does not fit in 64 bits"),
    ("aten::Int.str", ("+-1",), ValueError, "invalid literal for int() with base 10: '+-1'"),
    ("aten::Int.str", ("1 ",), ValueError, "invalid literal for int() with base 10: '1 '"),
    ("aten::Int.str", ("12a",), ValueError, "invalid literal for int() with base 10: '12a'"),
    ("aten::factorial.int", (-1,), ValueError, "factorial() not defined for negative values"),
    ("aten::__range_length", (0, 1, 0), ValueError, "range() arg 3 must not be zero"),
    ("aten::lt", (1j, 1), NotImplementedError, "takes no complex number"),
    ("aten::__getitem__.t", ([1, 2], 2), IndexError, "list index out of range"),
    ("aten::__getitem__.t", ([1, 2], -3), IndexError, "list index out of range"),
    ("aten::__getitem__.str", ("abc", 5), IndexError, "string index out of range"),
    ("aten::_set_item.t", ([1], 1, 0), IndexError, "list assignment index out of range"),
    ("aten::pop.t", ([],), IndexError, "pop from empty list"),
    ("aten::remove.int", ([1], 2), ValueError, "list.remove(x): x not in list"),
    ("aten::index.list_int", ([1], 2), ValueError, "'2' is not in list"),
    ("prim::max.self_int", ([],), ValueError, "max() arg is an empty sequence"),
    ("aten::__getitem__.Dict_str", ({"a": 1}, "b"), KeyError, "b"),
    ("aten::Delete.Dict_int", ({1: 1}, 2), KeyError, "2"),
    ("aten::popitem.str", ({},), KeyError, "popitem(): dictionary is empty"),
    ("aten::split.str", ("a", ""), ValueError, "empty separator"),
    ("aten::index.str", ("hello", "x"), ValueError, "substring not found"),
    ("aten::rjust", ("ab", 4, "**"), TypeError, "The fill character must be exactly one character long"),
    ("aten::ord", ("ab",), TypeError, "String for ord() must be 1 character, found 2"),
    ("aten::chr", (-1,), ValueError, "it must be from 0 to 127"),
    ("aten::slice.t", ([1], None, None, 0), ValueError, "slice step cannot be zero"),
    ("aten::format", ("{}{}", 1), RuntimeError, "Too few arguments for format string: {}{}"),
    ("aten::percentFormat", ("%d", "a"), TypeError, "%d requires a number for formatting"),
    ("aten::percentFormat", ("%g", 1.5), NotImplementedError, "The specifier %g is not supported"),
    ("aten::percentFormat", ("%s", 1, 2), TypeError, "Too many arguments for format string"),
    ("aten::percentFormat", ("%s %s", 1), TypeError, "Too few arguments for format string"),
    ("aten::percentFormat", ("%",), ValueError, "Incomplete format specifier"),
    ("aten::device", ("cuda",), NotImplementedError, "device: unsupported device 'cuda'; there is 'cpu' only"),
]


@pytest.mark.parametrize(("name", "args", "kind", "text"), ERRORS)
def test_errors_are_of_pythons_kinds(name: str, args: tuple[Any, ...], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as error:
        run(name, *args)
    assert text in str(error.value)


STRINGS = [
    ("aten::find", ("hello", "l", 3), 3),
    ("aten::rfind", ("hello", "l"), 3),
    ("aten::find", ("hello", "o", 0, -2), -1),
    ("aten::count", ("aaa", "aa"), 1),
    ("aten::startswith", ("abc", "b", 1), True),
    ("aten::endswith", ("abc", "ab", 0, 2), True),
    ("aten::split.str", (" a  b ", None, 1), ["a", "b"]),
    ("aten::split.str", ("a\r\nb\x1cc\r",), ["a", "b", "c"]),
    ("aten::split.str", ("a,b,,c", ","), ["a", "b", "", "c"]),
    ("aten::split.str", ("a,b,c", ",", 1), ["a", "b,c"]),
    ("aten::rsplit", ("a b c", " ", 1), ["a b", "c"]),
    ("aten::splitlines", ("a\nb\n", True), ["a", "\n", "b", "\n"]),
    ("aten::partition", ("a-b-c", "-"), ("a", "-", "b-c")),
    ("aten::rpartition", ("abc", "-"), ("", "", "abc")),
    ("aten::replace", ("aaa", "a", "b", 2), "bba"),
    ("aten::replace", ("abc", "", "-"), "-a-b-c-"),
    ("aten::strip", (" \n a\t ",), "a"),
    ("aten::lstrip", ("xxa", "x"), "a"),
    ("aten::rstrip", ("   ",), ""),
    ("aten::title", ("hello wORLD",), "Hello World"),
    ("aten::istitle", ("Hello world",), False),
    ("aten::capitalize", ("hELLO",), "Hello"),
    ("aten::isupper", ("A1",), True),
    ("aten::isdigit", ("",), False),
    ("aten::isprintable", ("a\n",), False),
    ("aten::isidentifier", ("1a",), False),
    ("aten::center", ("ab", 5), "  ab "),
    ("aten::center", ("abc", 6, "*"), "*abc**"),
    ("aten::zfill", ("-5", 4), "00-5"),
    ("aten::expandtabs", ("a\tb", 4), "a   b"),
    ("aten::hex", (-255,), "-0xff"),
    ("aten::bin", (-5,), "-0b101"),
    ("aten::join", (",", ["a", "b"]), "a,b"),
    ("aten::slice.str", ("hello", None, None, -1), "olleh"),
    ("aten::slice.str", ("hello", -3, -1), "ll"),
    ("aten::format", ("a{}b{}", 1, "x", None), "a1bx"),
    ("aten::format", ("{}", 1.0), "1."),
    ("aten::format", ("{}", 0.1), "0.10000000000000001"),
    ("aten::format", ("{}", 1e20), "1e+20"),
    ("aten::format", ("{}", [1.5, 2.0]), "[1.5, 2.]"),
    ("aten::format", ("{}", (1,)), "(1,)"),
    ("aten::format", ("{}", {"a": [True]}), "{a: [True]}"),
    ("aten::format", ("{}", 1.5 - 0.5j), "1.5-0.5j"),
    ("aten::percentFormat", ("%d %s %f %% %c", 3.7, [1], 2, 65), "3 [1] 2.000000 % A"),
    ("aten::str", (math.inf,), "inf"),
]


@pytest.mark.parametrize(("name", "args", "expected"), STRINGS)
def test_strings(name: str, args: tuple[Any, ...], expected: Any) -> None:
    assert run(name, *args) == expected


@pytest.mark.parametrize("step", (None, 1, 2, -1, -3, 2**62))
@pytest.mark.parametrize("end", (None, -9, -2, 0, 3, 9))
@pytest.mark.parametrize("start", (None, -9, -2, 0, 3, 9))
def test_slices_are_pythons(start: int | None, end: int | None, step: int | None) -> None:
    values = [0, 1, 2, 3, 4]
    assert run("aten::slice.t", values, start, end, step or 1) == values[start:end:step]


def test_lists_change_in_place() -> None:
    assert mutate("aten::append.t", [1], 2) == [1, 2]
    assert mutate("aten::extend.t", [1], [2, 3]) == [1, 2, 3]
    assert mutate("aten::insert.t", [1, 2], -1, 9) == [1, 9, 2]
    assert mutate("aten::pop.t", [1, 2], 0) == [2]
    assert mutate("aten::Delete.t", [1, 2], -1) == [1]
    assert mutate("aten::reverse.t", [1, 2]) == [2, 1]
    assert mutate("aten::sort.str", ["b", "a"]) == ["a", "b"]
    assert mutate("aten::sort.any", [(1, "b"), (1, "a")], True) == [(1, "b"), (1, "a")]
    assert mutate("aten::_set_item.t", [1, 2], -1, 5) == [1, 5]
    assert mutate("aten::mul_.t", [1, 2], 2) == [1, 2, 1, 2]
    assert mutate("aten::clear.t", [1]) == []
    assert run("aten::sorted.int", [3, 1]) == [1, 3]
    assert run("aten::add.t", [1], [2]) == [1, 2]
    assert run("aten::mul.left_t", [1], -1) == []
    assert run("aten::eq.int_list", [1, 2], [1, 2]) is True


def test_dicts_keep_their_order() -> None:
    given = {"b": 1, "a": 2}
    assert run("aten::keys.str", given) == ["b", "a"]
    assert run("aten::items.str", given) == [("b", 1), ("a", 2)]
    assert run("aten::get.str", given, "c") is None
    assert run("aten::get.default_str", given, "c", 3) == 3
    assert run("aten::pop.Dict_default_str", given, "c", 3) == 3
    assert run("aten::popitem.str", given) == ("a", 2)
    assert mutate("aten::setdefault.str", given, "c", 3) == {**given, "c": 3}
    assert mutate("aten::update.str", given, {"a": 5}) == {"b": 1, "a": 5}
    assert mutate("aten::clear.str", given) == {}
    assert run("aten::dict.int", [(1, 2)]) == {1: 2}
    assert run("aten::dict") == {}


def test_a_program_warns_once(capfd: pytest.CaptureFixture[str]) -> None:
    for text in ("first", "second", "first"):
        run("aten::warn", f"the {text} warning of this test", 2)
    lines = [f"threadwheel: the program warns: the {text} warning of this test" for text in ("first", "second")]
    assert capfd.readouterr().err.splitlines() == lines


def test_tensors_and_numbers() -> None:
    x = np.array([2**53 + 1], "i8")
    assert run("aten::item", x) == 2**53 + 1
    assert run("aten::Float.Tensor", x) == float(2**53 + 1)
    assert run("aten::Bool.Tensor", np.zeros(1, "f4")) is False
    assert run("prim::NumToTensor.Scalar", 3).dtype.name == "int64"
    assert run("aten::size.int", np.ones((2, 3), "f4"), -1) == 3
    assert run("prim::dtype", x) == 4
    assert run("aten::len.Tensor", np.ones((2, 3), "f4")) == 2
    assert run("prim::device", x) == "cpu"
    with pytest.raises(ValueError, match="item: the tensor has 2 elements; only one element can become a number"):
        run("aten::item", np.ones(2, "f4"))
    with pytest.raises(ValueError, match="implicit: a float32 tensor of sizes"):
        run("aten::IntImplicit", np.ones((), "f4"))


def test_the_languages_ops_are_no_functions_of_the_module() -> None:
    assert not {"append", "format", "upper", "floordiv"} & set(tw._core.ops)
