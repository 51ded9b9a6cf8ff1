"""The staff pages, one file per page: each registers its address and guards its layout."""
