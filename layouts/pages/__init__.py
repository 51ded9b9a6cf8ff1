"""The staff pages, one file per page."""
