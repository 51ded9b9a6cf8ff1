"""One module per protocol a source may speak."""
