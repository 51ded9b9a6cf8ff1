"""Turns at what is slow, and the threads that are left for readers."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pytest

from serving import entering, provider
from serving.processes import WEB_THREADS
from serving.turns import NoTurnError, Turns


def test_so_many_at_once_the_next_waits_and_who_finds_the_line_full_is_sent_away():
    turns, got = Turns(1, 2, 30.0), []

    def wait():
        with turns.taken():
            got.append("waited")

    with turns.taken():
        second = threading.Thread(target=wait)
        second.start()
        while turns._line._value:
            time.sleep(0.01)
        with pytest.raises(NoTurnError), turns.taken():
            got.append("a third")
        assert got == []
    second.join()
    assert got == ["waited"]


def test_who_waits_too_long_leaves_the_line_and_a_failure_gives_its_turn_back():
    turns = Turns(1, 2, 0.01)
    with turns.taken():
        for _ in range(3):
            with pytest.raises(NoTurnError), turns.taken():
                pass
    with pytest.raises(ZeroDivisionError), turns.taken():
        raise ZeroDivisionError
    with turns.taken():
        pass


def test_who_signs_in_never_has_every_thread():
    """However many come at once, by password and by the city's provider."""
    held = entering.IN_LINE + provider.IN_LINE
    assert entering.AT_ONCE <= entering.IN_LINE and provider.TURNS <= provider.IN_LINE and held < WEB_THREADS


def test_a_full_line_is_said_and_not_waited_for():
    with ExitStack() as stack:
        for _ in range(entering.AT_ONCE):
            stack.enter_context(entering.checking())
        line = [
            entering._checks._line.acquire(blocking=False) for _ in range(entering.IN_LINE - entering.AT_ONCE)
        ]
        try:
            with pytest.raises(entering.Refused, match="Many people are signing in"), entering.checking():
                pass
        finally:
            for _ in line:
                entering._checks._line.release()
