"""Bridge carries every version of a model from uploaded to proven serving."""

from importlib.metadata import version

__version__ = version("model-bridge")
