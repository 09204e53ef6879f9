"""Why there is no page, in our words. Pure."""

from collections.abc import Sequence
from http import HTTPStatus

from bridge.sentences import say
from bridge.web.shapes import Problem, Wrong

SAID = {404: "page_not_found", 422: "page_not_read", 503: "page_away"}
TITLES = {404: "title_not_found", 422: "title_not_read", 500: "title_broken", 503: "title_away"}
ONWARD = {404: "onward_not_found", 422: "onward_not_read", 503: "onward_away"}


def trouble(status: int, detail: str = "", errors: Sequence[Wrong] = ()) -> Problem:
    """What is said of a status; `detail` where more is known than that."""
    phrase = HTTPStatus(status).phrase
    told = detail if detail not in ("", phrase) else say(SAID.get(status, "page_broken")).sentence
    title = say(TITLES[status]).sentence if status in TITLES else phrase
    return Problem(title=title, status=status, detail=told, errors=list(errors))


def onward(status: int) -> str:
    """The next thing to do about it."""
    return say(ONWARD.get(status, "onward_broken")).sentence
