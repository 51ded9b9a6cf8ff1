"""The next answer of a paged source is on its way while the last one is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


def ahead(answers: Iterator[T]) -> Iterator[T]:
    """The same answers, each made by a thread while the caller is busy with the one before.

    One is made in advance and no more. An error is raised where its answer would have come; what comes after
    the caller has stopped is dropped.
    """
    coming = _Coming(answers)
    while found := coming.found():
        coming = _Coming(answers)
        yield found[0]


class _Coming(Generic[T]):
    """An answer that is being made."""

    def __init__(self, answers: Iterator[T]) -> None:
        self._answers = answers
        self._found: tuple[T] | None = None
        self._error: BaseException | None = None
        # A thread of an abandoned run must not keep the process from ending.
        self._thread = Thread(target=copy_context().run, args=(self._make,), daemon=True)
        self._thread.start()

    def found(self) -> tuple[T] | None:
        """The answer, once it is there; None after the last one. Raises what its making raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found

    def _make(self) -> None:
        try:
            for answer in self._answers:
                self._found = (answer,)
                break
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever asks for the answer
            self._error = error
