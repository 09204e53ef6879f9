"""What the address of a page asks for. An empty field of a form asks for nothing."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.delivery import DeliveryState
from bridge.release import Stage
from bridge.store.history import Asked
from bridge.store.looks import Turn
from bridge.web.twins import CURSOR, LAST_ID, Time

Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Cursor = Annotated[str, Field(pattern=CURSOR)]
Number = Annotated[int, Field(ge=1, le=LAST_ID)]
Day = Annotated[date, Field(ge=date(1970, 1, 1), lt=date(9000, 1, 1))]
A_DAY = timedelta(days=1)


class Wanted(BaseModel):
    """Everything that a page may be asked for; of a day the whole of it."""

    model_config = ConfigDict(frozen=True)
    pipeline: Text | None = None
    stage: Stage | None = None
    actor: Text | None = None
    version: Text | None = None
    code: Text | None = None
    kind: Text | None = None
    release: Number | None = None
    state: DeliveryState | None = None
    since: Day | None = Field(default=None, alias="from")
    until: Day | None = Field(default=None, alias="to")
    at: Time | None = None
    days: int = Field(default=30, ge=1, le=366)
    after: Cursor | None = None
    before: Cursor | None = None
    done: Number | None = None

    def filters(self, *names: str) -> Asked:
        """Those of a list."""
        told = {name: getattr(self, name) for name in names}
        return Asked(**told, since=_midnight(self.since), until=_midnight(self.until, A_DAY))

    @property
    def turn(self) -> Turn:
        """Which part of it."""
        return Turn(
            after=int(self.after) if self.after else None,
            before=int(self.before) if self.before else None,
        )


def wanted(request: Request) -> Wanted:
    """Read the address. Raises RequestValidationError."""
    try:
        return Wanted.model_validate(words(request))
    except ValidationError as error:
        errors = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(errors) from error


def words(request: Request) -> dict[str, str]:
    """What the address says, as it says it."""
    return {name: text for name, text in request.query_params.items() if text}


def _midnight(day: date | None, later: timedelta = timedelta()) -> datetime | None:
    return datetime.combine(day + later, time(), UTC) if day else None
