"""The words, the calendar and the arithmetic of scores: pure, without clock, storage or pages."""
