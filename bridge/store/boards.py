"""What the sweep saw last of each pipeline."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from bridge.drift import Board, Gaps


def all_of_them(session: Session) -> Sequence[Board]:
    """One row a pipeline."""
    return session.exec(select(Board).order_by(col(Board.pipeline))).all()


def told(session: Session, pipeline: str) -> str:
    """Which surprises of the pipeline are on record."""
    board = session.get(Board, pipeline)
    return board.told if board else ""


def write(session: Session, pipeline: str, found: Gaps, told: str, now: datetime) -> None:
    """Keep what was seen."""
    board = session.get(Board, pipeline) or Board(pipeline=pipeline, at=now, found=found)
    board.at, board.found, board.told = now, found, told
    session.add(board)
