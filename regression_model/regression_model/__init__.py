"""House prices in Ames, Iowa: `make_prediction(rows)` answers from the model in this package."""

from pathlib import Path

__version__ = (Path(__file__).parent / "VERSION").read_text(encoding="utf-8").strip()
