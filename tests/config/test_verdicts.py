"""Rules R2 to R5 against verdicts written by hand from the design, not by the planner."""

from __future__ import annotations

import pytest

from threadwheel_build.matrix import verdict
from threadwheel_build.options import OptionTable
from threadwheel_build.plan import cross_product, label_of, resolve

# A: ATEN_THREADING, K: MKL_THREADING, D: MKLDNN_THREADING, O: USE_OPENMP, T: USE_TBB, B: BLAS, N: USE_MKLDNN
NAMES = {
    "A": "ATEN_THREADING", "K": "MKL_THREADING", "D": "MKLDNN_THREADING", "O": "USE_OPENMP",
    "T": "USE_TBB", "B": "BLAS", "N": "USE_MKLDNN",
}  # fmt: skip

ACCEPTED = [
    # nothing said, and every default said
    ("", "omp"),
    ("A=OMP", "omp"),
    ("A=OMP O=ON", "omp"),
    ("O=ON", "omp"),
    ("T=OFF", "omp"),
    ("A=OMP K=OMP D=OMP O=ON T=OFF B=MKL N=ON", "omp"),
    ("K=OMP", "omp"),
    ("D=OMP", "omp"),
    ("B=MKL N=ON", "omp"),
    # one library less
    ("K=SEQ", "omp.mklseq"),
    ("A=OMP K=SEQ O=ON", "omp.mklseq"),
    ("B=BUILTIN", "omp.nomkl"),
    ("N=OFF", "omp.nomkldnn"),
    ("N=OFF K=OMP", "omp.nomkldnn"),
    ("N=OFF K=SEQ", "omp.mklseq.nomkldnn"),
    ("B=BUILTIN N=OFF", "omp.bare"),
    ("A=OMP B=BUILTIN N=OFF T=OFF", "omp.bare"),
    ("B=BUILTIN D=OMP", "omp.nomkl"),
    # TBB needs its permit, and then everything follows
    ("A=TBB T=ON", "tbb"),
    ("A=TBB T=ON O=OFF", "tbb"),
    ("A=TBB T=ON K=TBB D=TBB", "tbb"),
    ("A=TBB T=ON K=TBB D=TBB O=OFF B=MKL N=ON", "tbb"),
    ("A=TBB T=ON K=SEQ", "tbb.mklseq"),
    ("A=TBB T=ON B=BUILTIN", "tbb.nomkl"),
    ("A=TBB T=ON N=OFF", "tbb.nomkldnn"),
    ("A=TBB T=ON K=SEQ N=OFF", "tbb.mklseq.nomkldnn"),
    ("A=TBB T=ON B=BUILTIN N=OFF", "tbb.bare"),
    # NATIVE: sequential MKL, never oneDNN
    ("A=NATIVE", "native"),
    ("A=NATIVE K=SEQ", "native"),
    ("A=NATIVE N=OFF", "native"),
    ("A=NATIVE O=OFF T=OFF", "native"),
    ("A=NATIVE B=BUILTIN", "native.bare"),
    ("A=NATIVE B=BUILTIN N=OFF O=OFF", "native.bare"),
]

REFUSED = [
    # R2: a TBB value without USE_TBB=ON
    ("A=TBB", "R2"),
    ("A=TBB T=OFF", "R2"),
    ("A=TBB O=OFF", "R2"),
    ("A=TBB K=SEQ N=OFF", "R2"),
    ("K=TBB", "R2 R4"),
    ("D=TBB", "R2 R4"),
    ("A=OMP D=TBB T=OFF", "R2 R4"),
    # R3: an OMP value with USE_OPENMP=OFF
    ("O=OFF", "R3"),
    ("A=OMP O=OFF", "R3"),
    ("A=OMP K=SEQ N=OFF O=OFF", "R3"),
    ("A=TBB T=ON K=OMP O=OFF", "R3 R4"),
    ("A=NATIVE K=OMP O=OFF", "R3 R4"),
    # R4: two families
    ("A=TBB T=ON K=OMP", "R4"),
    ("A=TBB T=ON D=OMP", "R4"),
    ("A=TBB T=ON K=OMP D=OMP O=ON", "R4"),
    ("A=OMP K=TBB T=ON", "R4"),
    ("A=OMP D=TBB T=ON", "R4"),
    ("K=TBB D=TBB T=ON", "R4"),
    ("A=OMP K=TBB D=TBB T=ON", "R4"),
    ("A=NATIVE K=OMP", "R4"),
    ("A=NATIVE K=TBB T=ON", "R4"),
    ("A=NATIVE N=ON", "R4"),
    ("A=NATIVE N=ON D=OMP", "R4"),
    ("A=NATIVE N=ON D=TBB T=ON", "R4"),
    ("A=NATIVE K=OMP N=ON D=TBB T=ON", "R4"),
    # R5: said, and without effect
    ("T=ON", "R5"),
    ("A=OMP T=ON", "R5"),
    ("A=NATIVE O=ON", "R5"),
    ("A=NATIVE T=ON", "R5"),
    ("A=TBB T=ON O=ON", "R5"),
    ("B=BUILTIN K=OMP", "R5"),
    ("B=BUILTIN K=SEQ", "R5"),
    ("N=OFF D=OMP", "R5"),
    ("A=NATIVE D=OMP", "R5"),
    ("A=NATIVE B=BUILTIN K=SEQ", "R5"),
    ("A=TBB T=ON N=OFF D=TBB", "R5"),
    ("A=TBB T=ON N=OFF D=OMP", "R5"),
    ("A=NATIVE O=ON T=ON", "R5"),
    # several at once: a refusal lists them all
    ("B=BUILTIN K=TBB", "R2 R5"),
    ("A=TBB K=OMP", "R2 R4"),
    ("A=TBB B=BUILTIN K=OMP", "R2 R5"),
    ("A=NATIVE D=TBB", "R2 R5"),
    ("A=TBB O=ON", "R2 R5"),
    ("O=OFF T=ON", "R3 R5"),
    ("O=OFF K=TBB", "R2 R3 R4"),
    ("A=TBB O=OFF D=OMP", "R2 R3 R4"),
]


def said(text: str) -> dict[str, str]:
    return {NAMES[key]: value for key, value in (pair.split("=") for pair in text.split())}


@pytest.mark.parametrize(("text", "label"), ACCEPTED)
def test_accepted_options_have_this_label(table: OptionTable, text: str, label: str) -> None:
    resolution = resolve(table, said(text))
    assert not resolution.problems
    assert label_of(table, resolution) == label


@pytest.mark.parametrize(("text", "rules"), REFUSED)
def test_refused_options_break_these_rules(table: OptionTable, text: str, rules: str) -> None:
    assert sorted({p.rule for p in resolve(table, said(text)).problems}) == rules.split()


def test_the_table_of_verdicts_is_long_enough() -> None:
    assert len({text for text, _ in ACCEPTED + REFUSED}) >= 60


def test_every_combination_has_a_verdict_and_its_correction_is_accepted(table: OptionTable) -> None:
    verdicts = [verdict(table, s) for s in cross_product(table)]
    assert len(verdicts) == 4 * 4 * 3 * 3 * 3 * 3 * 3
    assert all(v["ok"] or v["rules"] for v in verdicts)
    unmended = [v["said"] for v in verdicts if not v["ok"] and resolve(table, v["corrected"]).problems]
    assert unmended == []


def test_different_plans_have_different_labels(table: OptionTable) -> None:
    plans: dict[str, set[str]] = {}
    for combination in cross_product(table):
        if (v := verdict(table, combination))["ok"]:
            plans.setdefault(v["label"], set()).add(str(v["resolved"]))
    assert {label: len(found) for label, found in plans.items() if len(found) > 1} == {}
    assert len(plans) == 14


def test_the_cross_product_breaks_every_rule_of_the_table(table: OptionTable) -> None:
    broken = {rule for s in cross_product(table) for rule in verdict(table, s)["rules"]}
    assert broken == {"R2", "R3", "R4", "R5"}


def test_a_correction_keeps_the_family_that_was_asked_for(table: OptionTable) -> None:
    for combination in cross_product(table):
        v = verdict(table, combination)
        if not v["ok"] and "ATEN_THREADING" in combination:
            assert v["corrected"]["ATEN_THREADING"] == combination["ATEN_THREADING"]
