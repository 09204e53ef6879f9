"""What somebody says who wants an act done, as JSON or in a form; and what they are told."""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request

from bridge.errors import Refused
from bridge.facts import Allowance
from bridge.sentences import say

FORM_WITHIN = 10.0
BLANK = r" \t\r\n\f\v"


def readable(text: str) -> str:
    """In one line, and what cannot be printed made visible: control signs, and those that let text
    run backwards."""
    line = re.sub(f"[{BLANK}]+", " ", text).strip(" ")
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)


def in_utc(moment: datetime) -> datetime:
    """A moment without a zone is meant in UTC. Raises ValueError for one beyond the calendar."""
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("it is beyond the calendar") from None


class Wish(BaseModel):
    """Why it is wanted, which goes on record; `dry_run` only asks what would be done.

    `until` is for a quarantine, which a person lifts else; `allow` for a retry: what is refused
    otherwise, and allowed for this version only.
    """

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[
        str,
        StringConstraints(pattern=f"[^{BLANK}]", max_length=500),
        AfterValidator(readable),
    ]
    dry_run: bool = False
    until: Annotated[datetime, AfterValidator(in_utc)] | None = None
    allow: list[Allowance] = []


class Done(BaseModel):
    """What was done, or would be; `delivery` is the number under which it is kept."""

    done: bool
    code: str
    sentence: str
    delivery: int | None = None


async def form_of(request: Request) -> FormData:
    """The fields of a form, which may not take for ever to come. Raises Refused."""
    try:
        async with asyncio.timeout(FORM_WITHIN), request.form(max_files=0, max_fields=99) as form:
            return form
    except TimeoutError:
        raise Refused(say("form_too_slow")) from None


def of_form(form: FormData) -> Wish:
    """What a form said; an empty field says nothing. Raises Refused."""
    told: Mapping[str, Any] = {
        name: form.getlist(name) if name == "allow" else value
        for name, value in form.items()
        if value != ""
    }
    try:
        return Wish.model_validate(told)
    except ValidationError as error:
        (first, *_) = error.errors(include_input=False, include_url=False)
        field = ".".join(str(part) for part in first["loc"])
        raise Refused(say("not_acted", field=field, problem=first["msg"])) from None
