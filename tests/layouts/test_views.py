"""What everything on a page shares: the publication it is rendered from."""

from __future__ import annotations

from dataclasses import replace

from layouts.desk import edition
from store.engine import reading


def test_a_pinned_edition_knows_that_it_is_not_the_newest(published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
    assert not now.is_pinned
    assert replace(now, newest=now.publication.id + 1).is_pinned
