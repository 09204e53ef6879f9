"""Lossless edit of the pin of one package, in every file that a pipeline allows. Pure.

`find` and `bump` read and edit one file; `find_in` and `bump_in` do it for the file that is
deployed and all that stand beside it. What must not be guessed is refused with file and line.
"""

from bridge.pins.files import Bump, bump_in, find_in, taken
from bridge.pins.one import bump, find, is_known
from bridge.pins.pin import Pin

__all__ = ["Bump", "Pin", "bump", "bump_in", "find", "find_in", "is_known", "taken"]
