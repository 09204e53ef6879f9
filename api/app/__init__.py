"""The prediction API: house prices from the model that is pinned in `requirements.txt`."""

__version__ = "0.1.0"
