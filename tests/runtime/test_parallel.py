"""parallel_for: the contract of threadwheel/parallel.h, the same for every backend."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import threadwheel as tw

testing = tw._core._testing
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
THREADS = (1, 2, 3, 5)


def check_cover(begin: int, end: int, grain: int) -> None:
    """Every index exactly once, chunks no shorter than the grain but for the last, thread numbers in range."""
    chunks = sorted(testing.record_chunks(begin, end, grain))
    position = begin
    for chunk_begin, chunk_end, thread_num, _, _ in chunks:
        assert chunk_begin == position and chunk_end > chunk_begin
        assert 0 <= thread_num < tw.get_num_threads()
        position = chunk_end
    assert position == end
    assert all(e - b >= grain for b, e, *_ in chunks[:-1])
    parallel = end - begin > max(grain, 1) and tw.get_num_threads() > 1
    assert all(in_region == parallel for *_, in_region in chunks)
    if not parallel:
        assert len(chunks) <= 1


@given(
    begin=st.integers(-1000, 1000),
    length=st.integers(0, 2000),
    grain=st.integers(0, 300),
    num_threads=st.sampled_from(THREADS),
)
def test_every_index_is_visited_once(begin: int, length: int, grain: int, num_threads: int) -> None:
    tw.set_num_threads(num_threads)
    check_cover(begin, begin + length, grain)


@pytest.mark.parametrize("num_threads", THREADS)
@pytest.mark.parametrize("offset", (-1, 0, 1))
def test_region_is_parallel_only_beyond_the_grain(num_threads: int, offset: int) -> None:
    tw.set_num_threads(num_threads)
    check_cover(0, 100 + offset, 100)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (INT64_MIN, INT64_MAX),
        (INT64_MIN, INT64_MIN + 1),
        (INT64_MAX - 1, INT64_MAX),
        (INT64_MAX - 7, INT64_MAX),
        (INT64_MIN, 0),
        (-1, INT64_MAX),
        (INT64_MAX, INT64_MAX),
    ],
)
@pytest.mark.parametrize("grain", (0, 1, INT64_MAX))
def test_ranges_at_the_ends_of_int64(begin: int, end: int, grain: int) -> None:
    tw.set_num_threads(2)
    check_cover(begin, end, grain)


@pytest.mark.parametrize("grain", (0, 1, 100))
def test_empty_range_calls_nothing(grain: int) -> None:
    assert testing.record_chunks(7, 7, grain) == []


def test_backward_range_and_negative_grain_are_errors() -> None:
    with pytest.raises(ValueError) as error:
        testing.record_chunks(5, 3, 1)
    assert str(error.value) == "parallel_for: begin is 5 and end is 3; begin must not be greater than end"
    with pytest.raises(ValueError) as error:
        testing.record_chunks(0, 3, -1)
    assert str(error.value) == "parallel_for: grain_size is -1; it must be 0 or more"


def test_one_region_runs_on_two_os_threads() -> None:
    tw.set_num_threads(2)
    assert testing.rendezvous(2, 30.0) == 2


@pytest.mark.parametrize("num_threads", (3, 5))
def test_more_threads_than_cores_are_real(num_threads: int) -> None:
    tw.set_num_threads(num_threads)
    assert testing.rendezvous(num_threads, 30.0) == num_threads


@pytest.mark.parametrize("num_threads", THREADS)
def test_chunks_at_the_same_time_have_different_thread_numbers(num_threads: int) -> None:
    tw.set_num_threads(num_threads)
    for num_chunks in (2, 7, 1000, 20000):
        assert testing.count_slot_errors(num_chunks) == 0


def test_nested_loops_are_serial_with_number_zero_and_restore_the_outer_one() -> None:
    tw.set_num_threads(3)
    records = testing.record_nested(64)
    assert records
    for calls, inner, before, after, in_region in records:
        assert (calls, inner, in_region) == (1, 0, True)
        assert before == after


def test_outside_of_regions() -> None:
    assert not tw._core.in_parallel_region()
    assert tw._core.get_thread_num() == 0


@pytest.mark.parametrize("num_threads", THREADS)
@pytest.mark.parametrize(
    ("kind", "exception", "text"),
    [("value", tw.ArgumentError, "test: thrown in a chunk"), ("index", IndexError, "test: index")],
)
def test_exceptions_keep_their_type_and_leave_the_pool_usable(
    num_threads: int, kind: str, exception: type[Exception], text: str
) -> None:
    tw.set_num_threads(num_threads)
    for at in (0, 5000, 9999):
        with pytest.raises(exception) as error:
            testing.throw_in_region(10000, 10, at, kind)
        assert str(error.value) == text
        check_cover(0, 1000, 1)
    assert testing.throw_in_region(10000, 10, 500, "int") == -42


def test_no_further_chunks_are_handed_out_after_an_exception() -> None:
    tw.set_num_threads(2)
    assert testing.throw_in_region(10000, 10, -1, "value") > 1  # nothing is at -1: all chunks run


def test_regions_from_many_threads_at_once() -> None:
    tw.set_num_threads(2)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for length in range(1, 60):
                check_cover(0, length * 17, 3)
                assert testing.count_slot_errors(50) == 0
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_caller_runs_alone_while_others_have_the_threads() -> None:
    tw.set_num_threads(2)
    until = testing.IntPromise()
    holder = threading.Thread(target=testing.hold_region, args=(until.future(),))
    holder.start()
    try:
        deadline = time.monotonic() + 30
        while testing.rendezvous(2, 0.05) == 2:  # until the other's region has begun
            assert time.monotonic() < deadline
        assert len({thread for *_, thread, _ in testing.record_chunks(0, 1000, 1)}) == 1
    finally:
        until.set_value(0)
        holder.join()
    assert testing.rendezvous(2, 30.0) == 2


def test_the_pool_can_be_resized_while_others_use_it() -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                covered = sorted((b, e) for b, e, *_ in testing.record_chunks(0, 1000, 1))
                assert covered[0][0] == 0 and covered[-1][1] == 1000
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for num_threads in (1, 4, 2, 7, 3, 1, 2) * 5:
        tw.set_num_threads(num_threads)
        assert tw.get_num_threads() == num_threads
        assert testing.count_slot_errors(100) == 0
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
