"""What all shapes share."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from bridge.columns import written

T = TypeVar("T")
Moment = Annotated[
    datetime,
    PlainSerializer(written, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Cursor = Annotated[str, Field(description="opaque: give it back as it is")]


class Shape(BaseModel):
    """Where a field has another name in JSON, as `from`, it is read and written by that one."""

    model_config = ConfigDict(
        validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


class Page(Shape, Generic[T]):
    """A part of a list. `after` leads to the older part, `before` to the newer one, if any.

    One look goes through a bounded number of rows, so a part may be short, or empty, and still
    have an `after`: what is asked for may lie further back.
    """

    items: list[T]
    after: Cursor | None = None
    before: Cursor | None = None


class Wrong(Shape):
    """What is wrong with one parameter."""

    name: str
    problem: str


class Problem(Shape):
    """Why there is no answer: RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[Wrong] = []
