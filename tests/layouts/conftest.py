"""What the tests of pages and answers share: a small published city, and empty databases."""

from tests.layouts.published_city import desk, empty_database, published_city

__all__ = ["desk", "empty_database", "published_city"]
