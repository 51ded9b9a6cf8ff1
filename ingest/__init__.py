"""From sources to records: read, parse, validate, store, account."""
