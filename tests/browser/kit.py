"""What the tests in a browser share: a host, a page that tells on itself, hostile shapes."""

import contextlib
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request
from pydantic import BaseModel
from starlette.types import ASGIApp

from bridge.rehearsal.hosting import Hosting
from bridge.web import views
from bridge.web.trouble import trouble
from bridge.web.views import Frame
from tools.storybook import canned
from tools.storybook.states import STATES, State

T = TypeVar("T")
NARROW, WIDE = 320, 1200
Scheme = Literal["light", "dark"]


@contextlib.contextmanager
def hosted(app: ASGIApp) -> Iterator[str]:
    """Served on a free port of loopback; gives the address."""
    hosting = Hosting()
    try:
        listening, address = hosting.reserve()
        hosting.serve(app, listening)
        yield address
    finally:
        hosting.stop()


@contextlib.contextmanager
def opened(
    browser: Browser, width: int = WIDE, scheme: Scheme = "light", *, scripts: bool = True
) -> Iterator[tuple[Page, list[str]]]:
    """A page in a context of its own, and what it did that a good page does not do."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        java_script_enabled=scripts,
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    told: list[str] = []
    _tell_on(page, told)
    try:
        yield page, told
    finally:
        context.close()


def _tell_on(page: Page, told: list[str]) -> None:
    def dialog(opened: Dialog) -> None:
        told.append(f"dialog {opened.message}")
        opened.dismiss()

    def console(said: ConsoleMessage) -> None:
        if said.type == "error":
            told.append(f"console {said.text}")

    def request(asked: Request) -> None:
        if "127.0.0.1" not in asked.url:
            told.append(f"request {asked.url}")

    page.on("dialog", dialog)
    page.on("console", console)
    page.on("request", request)
    page.on("pageerror", lambda error: told.append(f"error {error}"))


def poisoned(value: T, text: str) -> T:
    """The same shape with `text` in every field that holds text."""
    return _poisoned(value, text)  # type: ignore[no-any-return]


def _poisoned(value: Any, text: str) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, BaseModel):
        told = {
            name: getattr(value, name)
            if _is_one_of_ours(field.annotation)
            else _poisoned(getattr(value, name), text)
            for name, field in type(value).model_fields.items()
        }
        return type(value).model_construct(**told)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{one.name: _poisoned(getattr(value, one.name), text) for one in fields(value)}
        )
    if isinstance(value, Mapping):
        return {_poisoned(key, text): _poisoned(one, text) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_poisoned(one, text) for one in value)
    return value


def _is_one_of_ours(annotation: object) -> bool:
    """Whether the field can only hold words that we chose."""
    if get_origin(annotation) is Literal:
        return True
    if get_origin(annotation) in (Union, types.UnionType):
        return any(_is_one_of_ours(one) for one in get_args(annotation))
    return False


def hostile(text: str) -> dict[str, State]:
    """Every page with `text` wherever somebody else's words can stand, the address included."""
    frame = Frame(canned.NOW, person=poisoned(canned.ANA, text), flash=text, seq=1)
    acts = [
        replace(poisoned(act, text), path=act.path) for act in (canned.ROLLBACK, canned.NOT_NOW)
    ]

    def asked(*names: str) -> dict[str, str]:
        return dict.fromkeys(names, text)

    def state(name: str, view: Any) -> State:
        return State(poisoned(STATES[name].shape, text), view)

    return {
        "now": state("now-trouble", lambda page: views.now(frame, page, acts, {text: acts})),
        "releases": state(
            "releases",
            lambda page: views.releases(
                frame, page, asked(*views.RELEASES), [text], [poisoned(canned.pause(), text)]
            ),
        ),
        "release": state("release-rolled_back", lambda page: views.release(frame, page, acts)),
        "deliveries": state(
            "deliveries",
            lambda page: views.deliveries(
                frame, page, asked("state"), poisoned(canned.meters(2), text), {41: acts}
            ),
        ),
        "outgoing": state(
            "outgoing", lambda page: views.outgoing(frame, page, asked("state"), {2: acts})
        ),
        "drift": state("drift", lambda page: views.drift(frame, page)),
        "numbers": state("numbers", lambda page: views.numbers(frame, page, [text])),
        "audit": state("audit", lambda page: views.audit(frame, page, asked(*views.LINES, "at"))),
        "problem": State(trouble(404, text), lambda page: views.problem(frame, page)),
    }
