from __future__ import annotations

import os
import signal
import time

import pytest

from unmask.media.workers import Lost, in_order


def odd_work(number: int) -> int:
    """Some numbers crash the process, some never end."""
    if number % 10 == 3:
        os.abort()
    if number % 10 == 7:
        time.sleep(60)
    time.sleep(0.01 * (number % 4))
    return number * number


def fails(number: int) -> int:
    raise KeyError(number)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_crash_and_a_hang_cost_one_file_each(workers):
    found = list(in_order(odd_work, [[number] for number in range(12)], workers=workers, time_limit_s=1.5))
    expected = [number * number for number in range(12)]
    expected[3], expected[7] = Lost("decoder_crashed"), Lost("took_too_long")  # type: ignore[call-overload]
    assert found == expected


def test_nothing_to_do():
    assert list(in_order(odd_work, [], workers=None, time_limit_s=1)) == []


def test_more_files_than_are_handed_out_ahead():
    numbers = [number for number in range(200) if number % 10 not in (3, 7)]
    found = list(in_order(odd_work, [[number] for number in numbers], workers=2, time_limit_s=30))
    assert found == [number * number for number in numbers]


def test_what_the_work_raises_is_raised():
    with pytest.raises(KeyError):
        list(in_order(fails, [[1]], workers=1, time_limit_s=30))


def ends_itself(number: int) -> int:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    return number


def test_a_process_that_is_asked_to_end_is_no_crash():
    """Else the file that it worked on would be noted as one that crashes decoders, and never be looked at again."""
    with pytest.raises(KeyboardInterrupt):
        list(in_order(ends_itself, [[1]], workers=1, time_limit_s=30))


def test_when_the_caller_stops_the_workers_stop():
    found = in_order(odd_work, [[0], *[[7]] * 60], workers=1, time_limit_s=60)
    next(found)
    start = time.monotonic()
    found.close()  # as when the disk is full, or the user presses Ctrl-C
    assert time.monotonic() - start < 5
