"""Memory of tensors that are gone serves the next ones."""

from __future__ import annotations

import resource

import threadwheel as tw


def page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def work() -> None:
    """Tensors of unlike sizes: the last one could take the memory of the first, and cut it short for the next time."""
    a = tw.ones(1_000_000)
    b = tw.relu(a)
    del a
    c = tw.ones(850_000)
    del b, c


def test_repeated_work_asks_for_no_new_pages() -> None:
    for _ in range(3):
        work()
    before = page_faults()
    for _ in range(10):
        work()
    assert page_faults() - before < 100  # a megabyte has 256


def test_smaller_tensors_take_the_memory_of_a_larger_one() -> None:
    tw.ones(8_000_000)
    before = page_faults()
    for count in (7_000_000, 5_000_000, 3_000_000):
        tw.ones(count)
    assert page_faults() - before < 100
