"""What these tests share: a small published city."""

from tests.layouts.published_city import empty_database, published_city

__all__ = ["empty_database", "published_city"]
