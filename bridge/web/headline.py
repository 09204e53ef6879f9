"""The page *Now* in one line: for whoever has one second. Pure."""

from dataclasses import dataclass

from bridge.sentences import say
from bridge.unblock import GITHUB, HEROKU, INDEX, NOBODY
from bridge.web.shapes import Now

NO_PERSON = {NOBODY, INDEX, GITHUB, HEROKU}
PIN_BACK = {"reverting", "gate_of_revert", "revert_by_hand", "revert_held", "revert_fails"}
"""Why a version that was rolled back is not over yet: its pin still stands on the branch."""
NAMED = 3


@dataclass(frozen=True)
class Headline:
    """A sign for the tab, and a sentence for the page."""

    sign: str
    sentence: str


def headline(now: Now) -> Headline:
    """What matters most: not proven, then unknown, then who is waited for, then calm."""
    if not now.tiles:
        return _said("–", "now_nothing")
    unproven = [one.pipeline for one in now.tiles if one.serving and not one.serving.proven]
    if unproven:
        return _said("!", "now_unproven", names=_listed(unproven))
    unknown = [one.pipeline for one in now.tiles if one.serving is None]
    if unknown:
        return _said("?", "now_unknown", names=_listed(unknown))
    under_way = [row for one in now.tiles for row in one.under_way]
    ended = [one.last_failure for one in now.tiles if one.last_failure]
    rows = [*under_way, *(row for row in ended if row.reason.code in PIN_BACK)]
    waits = [row for row in rows if row.waits_for and row.waits_for.who not in NO_PERSON]
    if waits:
        what = f"{len(waits)} releases wait" if len(waits) > 1 else f"{waits[0].version} waits"
        return _said("…", "now_waits", what=what)
    if under_way:
        count = f"{len(under_way)} more are" if len(under_way) > 1 else f"{under_way[0].version} is"
        return _said("…", "now_under_way", count=count)
    return _said("✓", "now_calm")


def _said(sign: str, code: str, **words: object) -> Headline:
    return Headline(sign, say(code, **words).sentence)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
