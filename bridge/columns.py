"""Three column types that mean the same in SQLite and in PostgreSQL."""

from datetime import UTC, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import SmallInteger, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

Model = TypeVar("Model", bound=BaseModel)


def written(moment: datetime) -> str:
    """A moment in UTC with milliseconds, as `2026-11-23T02:18:52.123Z`: it sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_read_back(moment: datetime) -> datetime:
    """A moment as it will be read, which tells no microseconds."""
    return datetime.fromisoformat(written(moment))


class Moment(TypeDecorator[datetime]):
    """A time zone aware moment, kept as text in UTC."""

    impl = String(24)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write it in UTC."""
        return None if value is None else written(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read it back, aware of its zone."""
        return None if value is None else datetime.fromisoformat(value)


class Flag(TypeDecorator[bool]):
    """Yes or no, kept as 1 or 0, so that a row can move from one database to the other."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:
        """Write it as a number."""
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:
        """Read it back."""
        return None if value is None else bool(value)


class Document(TypeDecorator[Model], Generic[Model]):
    """A pydantic model, kept as JSON text. Fields that are not set are not written."""

    impl = Text
    cache_ok = True

    def __init__(self, model: type[Model]) -> None:
        super().__init__()
        self.model = model

    def process_bind_param(self, value: Model | None, dialect: Dialect) -> str | None:
        """Write it as JSON."""
        return None if value is None else value.model_dump_json(exclude_none=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Model | None:
        """Read it back through the model."""
        return None if value is None else self.model.model_validate_json(value)
