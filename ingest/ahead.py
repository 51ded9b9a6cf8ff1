"""The next answer of a paged source is on its way while the last one is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from contextvars import copy_context
from multiprocessing.pool import AsyncResult, ThreadPool
from typing import Any, TypeVar

T = TypeVar("T")

_END: Any = object()


def ahead(answers: Iterator[T]) -> Iterator[T]:
    """The same answers, each made by a thread while the caller is busy with the one before.

    One is made in advance and no more. An error is raised where its answer would have come; what comes after
    the caller has stopped is dropped.
    """
    # Threads of such a pool keep no process from ending, whatever they wait for.
    with closing(ThreadPool(1)) as maker:

        def make() -> AsyncResult[T]:
            return maker.apply_async(copy_context().run, (next, answers, _END))

        coming = make()
        while (found := coming.get()) is not _END:
            coming = make()
            yield found
