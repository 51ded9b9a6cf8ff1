"""One answer is made in advance: in order, no more than one, with its error where it belongs."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest

from ingest.ahead import ahead


def test_answers_come_in_their_order_and_all_of_them():
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead(iter(()))) == []
    assert list(ahead(iter((None, 0, False)))) == [None, 0, False]


def test_the_next_answer_is_asked_for_while_the_last_one_is_stored():
    asked = [Event(), Event(), Event()]

    def answers() -> Iterator[int]:
        for number, one in enumerate(asked):
            one.set()
            yield number

    coming = ahead(answers())
    assert next(coming) == 0
    # It never comes while the first is in use unless somebody else makes it.
    assert asked[1].wait(30)
    assert not asked[2].is_set()


def test_an_error_is_raised_after_the_answers_before_it():
    def answers() -> Iterator[int]:
        yield 1
        raise LookupError("the server is gone")

    came = []
    with pytest.raises(LookupError, match="the server is gone"):
        for one in ahead(answers()):
            came.append(one)
    assert came == [1]


def test_what_nobody_waits_for_is_dropped():
    def answers() -> Iterator[int]:
        yield 1
        raise LookupError("nobody asks")

    for one in ahead(answers()):
        assert one == 1
        break
