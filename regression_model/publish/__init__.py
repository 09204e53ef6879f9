"""Builds the package, uploads it to the index and tells the bridge. Not part of the wheel."""
