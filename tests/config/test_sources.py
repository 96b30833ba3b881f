"""Every road on which an option can be said: R1, R6, the words of a refusal and its corrected line."""

from __future__ import annotations

import itertools
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from threadwheel_build.decision import plan_for_hook
from threadwheel_build.options import OptionTable, load_table
from threadwheel_build.plan import Plan, RefusedError, cross_product, resolve

TBB = {"ATEN_THREADING": "TBB", "USE_TBB": "ON"}


def settings_of(line: str) -> dict[str, str | list[str]]:
    """`-C key=value ...` as a front end hands it over."""
    words = shlex.split(line)
    assert words[::2] == ["-C"] * (len(words) // 2)
    found: dict[str, str | list[str]] = {}
    for word in words[1::2]:
        key, _, value = word.partition("=")
        found[key] = (
            value if key not in found else [*([found[key]] if isinstance(found[key], str) else found[key]), value]
        )  # type: ignore[misc]
    return found


def plan(table: OptionTable, settings: object = None, env: dict[str, str] | None = None) -> Plan:
    return plan_for_hook(table, settings, env or {})  # type: ignore[arg-type]


def refusal(table: OptionTable, settings: object = None, env: dict[str, str] | None = None) -> str:
    with pytest.raises(RefusedError) as caught:
        plan(table, settings, env)
    return str(caught.value)


def line_of(text: str) -> str:
    last = text.splitlines()[-1]
    assert last.startswith("  use: ")
    return last.removeprefix("  use: ")


ROADS = {
    "-C cmake.define": ({f"cmake.define.{k}": v for k, v in TBB.items()}, {}),
    "-C skbuild.cmake.define": ({f"skbuild.cmake.define.{k}": v for k, v in TBB.items()}, {}),
    "-C cmake.args": ({"cmake.args": "-DATEN_THREADING=TBB;-DUSE_TBB:BOOL=ON"}, {}),
    "-C cmake.args repeated": ({"cmake.args": ["-D", "ATEN_THREADING=TBB", "-DUSE_TBB=1"]}, {}),
    "-C threadwheel.variant": ({"threadwheel.variant": "tbb"}, {}),
    "$CMAKE_ARGS": ({}, {"CMAKE_ARGS": "-DATEN_THREADING=TBB -D USE_TBB=ON -DCMAKE_BUILD_TYPE=Release"}),
    "$SKBUILD_CMAKE_DEFINE": ({}, {"SKBUILD_CMAKE_DEFINE": "ATEN_THREADING=TBB;USE_TBB=ON"}),
    "$SKBUILD_CMAKE_ARGS": ({}, {"SKBUILD_CMAKE_ARGS": "-DATEN_THREADING=TBB;-DUSE_TBB=ON"}),
    "environment": ({}, {"ATEN_THREADING": "tbb", "USE_TBB": "1"}),
}


@pytest.mark.parametrize("road", ROADS)
def test_every_road_reaches_the_same_plan(table: OptionTable, road: str) -> None:
    settings, env = ROADS[road]
    found = plan(table, settings, env)
    assert found.label == "tbb"
    assert found.full_version.endswith("+tbb")
    assert found.requires == ["tbb>=2021.13", "numpy>=1.26"]


# A variant says its permit itself, so it has no such half.
WITHOUT_PERMIT = {
    "-C cmake.define": ({"cmake.define.ATEN_THREADING": "TBB"}, {}),
    "-C cmake.args": ({"cmake.args": ["-D", "ATEN_THREADING=TBB"]}, {}),
    "$CMAKE_ARGS": ({}, {"CMAKE_ARGS": "-DATEN_THREADING=TBB"}),
    "$SKBUILD_CMAKE_DEFINE": ({}, {"SKBUILD_CMAKE_DEFINE": "ATEN_THREADING=TBB"}),
    "$SKBUILD_CMAKE_ARGS": ({}, {"SKBUILD_CMAKE_ARGS": "-DATEN_THREADING=TBB"}),
    "$ATEN_THREADING": ({}, {"ATEN_THREADING": "TBB"}),
}


@pytest.mark.parametrize("road", WITHOUT_PERMIT)
def test_tbb_without_its_permit_is_refused_on_every_road(table: OptionTable, road: str) -> None:
    settings, env = WITHOUT_PERMIT[road]
    text = refusal(table, settings, env)
    assert f"R2: ATEN_THREADING=TBB ({road}" in text
    assert "needs USE_TBB=ON; USE_TBB is OFF by default" in text
    assert line_of(text) == "-C cmake.define.ATEN_THREADING=TBB -C cmake.define.USE_TBB=ON"
    plan(table, settings_of(line_of(text)), env)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(ROADS, 2)))
def test_two_roads_that_agree_pass(table: OptionTable, one: str, other: str) -> None:
    settings = {**ROADS[one][0], **ROADS[other][0]}
    env = {**ROADS[one][1], **ROADS[other][1]}
    assert plan(table, settings, env).label == "tbb"


OMP_ROADS = {
    "-C cmake.define.ATEN_THREADING": ({"cmake.define.ATEN_THREADING": "OMP"}, {}),
    "-C cmake.args": ({"cmake.args": "-DATEN_THREADING=OMP"}, {}),
    "variant omp-nomkl": ({"threadwheel.variant": "omp-nomkl", "cmake.define.ATEN_THREADING": "OMP"}, {}),
    "$CMAKE_ARGS": ({}, {"CMAKE_ARGS": "-DATEN_THREADING=OMP"}),
    "$SKBUILD_CMAKE_DEFINE": ({}, {"SKBUILD_CMAKE_DEFINE": "ATEN_THREADING=OMP"}),
    "$SKBUILD_CMAKE_ARGS": ({}, {"SKBUILD_CMAKE_ARGS": "-DATEN_THREADING=OMP"}),
    "$ATEN_THREADING": ({}, {"ATEN_THREADING": "OMP"}),
}


def _share_a_key(tbb: str, omp: str) -> bool:
    """One setting or variable holds one value; a repeated `-C` has a test of its own."""
    return bool(set(ROADS[tbb][0]) & set(OMP_ROADS[omp][0]) or set(ROADS[tbb][1]) & set(OMP_ROADS[omp][1]))


@pytest.mark.parametrize(("tbb", "omp"), [p for p in itertools.product(ROADS, OMP_ROADS) if not _share_a_key(*p)])
def test_two_roads_that_disagree_are_refused_and_both_are_named(table: OptionTable, tbb: str, omp: str) -> None:
    settings, env = dict(ROADS[tbb][0]), dict(ROADS[tbb][1])
    settings |= OMP_ROADS[omp][0]  # type: ignore[operator]
    env |= OMP_ROADS[omp][1]
    text = refusal(table, settings, env)
    assert "R6: ATEN_THREADING is said differently" in text
    assert "TBB by " in text and "OMP by " in text
    _apply(table, text, env)


def _apply(table: OptionTable, text: str, env: dict[str, str]) -> Plan:
    """What a user does with a refusal: unset what it says, then use its line instead of the old one."""
    unset = next((line.split(": ")[1].split() for line in text.splitlines() if line.startswith("  unset first: ")), [])
    return plan(table, settings_of(line_of(text)), {k: v for k, v in env.items() if k not in unset})


@pytest.mark.parametrize("names", [["TBB", "OMP"], ["TBB", "tbb", "OMP"]])
def test_a_repeated_setting_with_two_values_is_refused(table: OptionTable, names: list[str]) -> None:
    text = refusal(table, {"cmake.define.ATEN_THREADING": names, "cmake.define.USE_TBB": "ON"})
    assert "R6: ATEN_THREADING is said differently: TBB by -C cmake.define.ATEN_THREADING; OMP by" in text
    _apply(table, text, {})


def test_a_repeated_setting_with_equal_values_passes(table: OptionTable) -> None:
    assert (
        plan(table, {"cmake.define.ATEN_THREADING": ["TBB", "tbb"], "cmake.define.USE_TBB": ["1", "ON", "yes"]}).label
        == "tbb"
    )


def test_an_alias_is_a_further_source_of_its_option(table: OptionTable) -> None:
    assert plan(table, {"threadwheel.variant": "tbb", "cmake.define.MKLDNN_CPU_RUNTIME": "TBB"}).label == "tbb"
    text = refusal(table, {"cmake.define.MKLDNN_THREADING": "OMP", "cmake.define.MKLDNN_CPU_RUNTIME": "TBB"})
    assert (
        "R6: MKLDNN_THREADING is said differently: OMP by -C cmake.define.MKLDNN_THREADING; TBB by -C cmake.define.MKLDNN_CPU_RUNTIME"
        in text
    )
    _apply(table, text, {})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cmake.define.ATEN_THREADNG": "TBB"}, "unknown option 'ATEN_THREADNG' (did you mean ATEN_THREADING?)"),
        ({"cmake.define.FOO": "1"}, "unknown option 'FOO'; the options are ATEN_THREADING, MKL_THREADING"),
        ({"cmake.args": "-DUSE_TBBB=ON"}, "unknown option 'USE_TBBB' (did you mean USE_TBB?)"),
        ({"cmake.define.ATEN_THREADING": "TBBB"}, "ATEN_THREADING=TBBB is no value of it (did you mean TBB?); it is one of OMP, TBB, NATIVE"),
        ({"cmake.define.USE_TBB": "maybe"}, "USE_TBB=maybe is no value of it; it is one of ON, OFF"),
        ({"cmake.define.USE_TBB": ""}, "USE_TBB has an empty value; leave the option out for its default"),
        ({"cmake.define.BLAS": " "}, "BLAS has an empty value; leave the option out for its default"),
        ({"threadwheel.variant": "tb"}, "unknown variant 'tb' (did you mean tbb?); the variants are native"),
        ({"threadwheel.variant": ["tbb", "omp"]}, "-C threadwheel.variant is tbb and omp; a build has one variant"),
        ({"threadwheel.backend": "tbb"}, "-C threadwheel.backend: unknown setting; the only one is threadwheel.variant"),
        ({"ATEN_THREADING": "TBB"}, "options are said as -C cmake.define.ATEN_THREADING=VALUE"),
        ({"cmake.defin.USE_TBB": "ON"}, "options are said as -C cmake.define.USE_TBB=VALUE"),
        ({"cmake.define": "USE_TBB=ON"}, "options are said as -C cmake.define.NAME=VALUE"),
    ],
)  # fmt: skip
def test_unknown_names_and_values_are_refused_with_the_nearest(
    table: OptionTable, settings: object, words: str
) -> None:
    text = refusal(table, settings)
    assert words in text
    _apply(table, text, {})


@pytest.mark.parametrize("name", ["ATEN_THREADNG", "MKLDNN_TREADING", "MKL_THREADINGS"])
def test_a_misspelt_environment_variable_never_builds_the_default(table: OptionTable, name: str) -> None:
    text = refusal(table, {}, {name: "TBB"})
    assert f"R1: ${name}: unknown option '{name}' (did you mean" in text
    assert f"  unset first: {name}" in text.splitlines()
    assert "ATEN_THREADING=TBB" in line_of(text), "what was meant is kept"
    _apply(table, text, {name: "TBB"})


@pytest.mark.parametrize("text", ["-DFOO='x", "-DFOO=x\\"])
def test_cmake_args_that_no_shell_could_read_are_refused(table: OptionTable, text: str) -> None:
    refused = refusal(table, {}, {"CMAKE_ARGS": text})
    assert "R1: $CMAKE_ARGS: cannot be read: no" in refused
    _apply(table, refused, {"CMAKE_ARGS": text})


def test_lists_are_read_as_the_build_engine_reads_them(table: OptionTable) -> None:
    assert plan(table, {}, {"SKBUILD_CMAKE_DEFINE": "ATEN_THREADING=TBB; USE_TBB=ON"}).label == "tbb"
    assert plan(table, {"cmake.args": " -DATEN_THREADING=NATIVE; "}).label == "native"


@pytest.mark.parametrize(
    "key", ["threadwheel_variant", "Threadwheel.variant", "variant", "threadwheel-variant", "cmake.arg", "CMAKE_ARGS"]
)
def test_settings_that_the_build_engine_would_drop_are_refused_before(table: OptionTable, key: str) -> None:
    assert f"R1: -C {key}: " in refusal(table, {key: "-DATEN_THREADING=TBB"})


@pytest.mark.parametrize("place", ["setting", "variable"])
def test_a_build_directory_is_found_however_it_is_named(table: OptionTable, tmp_path: Path, place: str) -> None:
    folder = tmp_path / f"b-{sys.implementation.cache_tag}"
    folder.mkdir()
    (folder / "CMakeCache.txt").write_text("ATEN_THREADING:STRING=NATIVE\n")
    name = str(tmp_path / "b-{cache_tag}")
    said = {"build-dir": name} if place == "setting" else {}
    env = {"SKBUILD_BUILD_DIR": name} if place == "variable" else {}
    assert "R6: ATEN_THREADING is OMP (default) but NATIVE in" in refusal(table, said, env)


@pytest.mark.parametrize("name", ["MKL_THREADING_LAYER", "USE_OPENMPI", "OMP_NUM_THREADS", "DNNL_CPU_RUNTIME"])
def test_a_strangers_environment_variable_passes(table: OptionTable, name: str) -> None:
    assert plan(table, {}, {name: "x"}).label == "omp"


@pytest.mark.parametrize("name", ["CMAKE_BUILD_TYPE", "CMAKE_PREFIX_PATH", "FETCHCONTENT_QUIET", "TBB_ROOT", "TBB_DIR", "BUILD_TESTING", "Python_EXECUTABLE"])  # fmt: skip
def test_names_of_cmake_pass(table: OptionTable, name: str) -> None:
    assert plan(table, {f"cmake.define.{name}": "x"}, {"CMAKE_ARGS": f"-D{name}=x"}).label == "omp"


@given(
    spelling=st.sampled_from(["1", "on", "On", "ON", "true", "TRUE", "yes", "Y", "y"]),
    threading=st.sampled_from(["tbb", "TBB", "Tbb", " TBB "]),
)
def test_values_are_compared_after_normalisation(table: OptionTable, spelling: str, threading: str) -> None:
    found = plan(table, {"cmake.define.ATEN_THREADING": threading, "cmake.define.USE_TBB": spelling}, TBB)
    assert (found.resolved["ATEN_THREADING"], found.resolved["USE_TBB"]) == ("TBB", "ON")


def test_a_build_directory_that_says_otherwise_is_refused(table: OptionTable, tmp_path: Path) -> None:
    (tmp_path / "CMakeCache.txt").write_text("ATEN_THREADING:STRING=TBB\nUSE_TBB:UNINITIALIZED=ON\nOTHER:BOOL=ON\n")
    text = refusal(table, {"build-dir": str(tmp_path)})
    assert f"R6: ATEN_THREADING is OMP (default) but TBB in {tmp_path / 'CMakeCache.txt'}" in text
    assert line_of(text).startswith("-C cmake.fresh=true -C cmake.define.ATEN_THREADING=OMP")
    plan(table, {"build-dir": str(tmp_path), **settings_of(line_of(text))})
    assert plan(table, {"build-dir": str(tmp_path), "threadwheel.variant": "tbb"}).label == "tbb"


@pytest.mark.parametrize("label", ["tbb", "omp.mklseq", "native.bare"])
def test_a_labelled_sdist_builds_only_what_it_says(tmp_path: Path, label: str) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "PKG-INFO").write_text(f"Metadata-Version: 2.2\nName: threadwheel\nVersion: 0.1.0+{label}\n")
    unpacked = load_table(tmp_path)
    text = refusal(unpacked)
    assert f"R6: the options make the label omp, but this sdist was made for +{label} (PKG-INFO)" in text
    assert plan(unpacked, settings_of(line_of(text))).label == label
    (tmp_path / "PKG-INFO").write_text("Version: 0.1.0\n")
    assert plan(unpacked, {"threadwheel.variant": "tbb"}).label == "tbb", "a plain sdist serves every plan"


def test_a_labelled_sdist_lists_all_problems_and_names_what_to_unset(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "PKG-INFO").write_text("Version: 0.1.0+native\n")
    unpacked = load_table(tmp_path)
    for env in ({"ATEN_THREADING": "OMP"}, {"ATEN_THREADING": "TBB"}):
        text = refusal(unpacked, None, env)
        assert "R6: the options make the label" in text
        assert ("R2: " in text) == (env["ATEN_THREADING"] == "TBB")
        assert _apply(unpacked, text, env).label == "native"
    (tmp_path / "PKG-INFO").write_text("Version: 0.1.0+other\n")
    assert "made for +other (PKG-INFO)" in refusal(unpacked)
    assert "use:" not in refusal(unpacked)


def test_a_mixed_build_names_both_sources(table: OptionTable) -> None:
    text = refusal(
        table,
        {"cmake.define.ATEN_THREADING": "TBB", "cmake.define.USE_TBB": "ON"},
        {"CMAKE_ARGS": "-DMKL_THREADING=OMP"},
    )
    assert "R4: mixed TBB/OpenMP build: TBB: ATEN_THREADING=TBB (-C cmake.define.ATEN_THREADING), MKLDNN_THREADING=TBB (default); OpenMP: MKL_THREADING=OMP ($CMAKE_ARGS)" in text  # fmt: skip
    assert "all enabled libraries must share one family" in text


def test_a_refusal_lists_all_problems_at_once(table: OptionTable) -> None:
    text = refusal(table, {"cmake.define.FOO": "1", "cmake.define.BLAS": "EIGEN", "cmake.define.ATEN_THREADING": "TBB", "cmake.define.MKL_THREADING": "OMP"})  # fmt: skip
    assert text.splitlines()[0] == "threadwheel_build: these options make no build: 4 problems"
    assert [line[2:4] for line in text.splitlines()[1:-1]] == ["R1", "R1", "R2", "R4"]


def test_the_line_of_every_refused_combination_is_accepted(table: OptionTable) -> None:
    refused = 0
    for said in cross_product(table):
        settings = {f"cmake.define.{name}": value for name, value in said.items()}
        if resolve(table, said).problems:
            refused += 1
            text = refusal(table, settings)
            assert "  unset first:" not in text
            plan(table, settings_of(line_of(text)))
        else:
            plan(table, settings)
    assert refused > 3000


@given(data=st.data())
def test_no_mixture_of_roads_crashes_and_its_correction_works(table: OptionTable, data: st.DataObject) -> None:
    """Any values on any two roads: a plan, or a refusal whose advice is accepted."""
    names = st.sampled_from([*table.spellings, "ATEN_THREADNG", "FOO", "CMAKE_X"])
    values = st.sampled_from(["OMP", "TBB", "NATIVE", "SEQ", "ON", "OFF", "MKL", "BUILTIN", "tbbb", ""])
    said = data.draw(st.dictionaries(names, values, max_size=4))
    env = data.draw(st.dictionaries(st.sampled_from(list(table.spellings)), values, max_size=3))
    settings = {f"cmake.define.{name}": value for name, value in said.items()}
    try:
        plan(table, settings, env)
    except RefusedError as err:
        _apply(table, str(err), env)
