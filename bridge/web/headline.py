"""The page *Now* in one line: for whoever has one second. Pure."""

from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from bridge.sentences import say
from bridge.unblock import GITHUB, HEROKU, INDEX, NOBODY
from bridge.web.shapes import Now, ReleaseRow, Tile

NO_PERSON = {NOBODY, INDEX, GITHUB, HEROKU}
PIN_BACK = {"reverting", "gate_of_revert", "revert_by_hand", "revert_held", "revert_fails"}
"""Why a version that was rolled back is not over yet: its pin still stands on the branch."""
NAMED = 3
TONES = {"✓": "good", "!": "bad", "✗": "wait", "?": "wait", "‖": "wait", "…": "wait"}


@dataclass(frozen=True)
class Headline:
    """A sign for the tab and the page, and a sentence for the page."""

    sign: str
    sentence: str

    @property
    def tone(self) -> str:
        """The colour beside them."""
        return TONES.get(self.sign, "calm")


def headline(now: Now) -> Headline:
    """What matters most: not proven, unknown, drift, a pause, who is waited for, what did not
    arrive, then calm."""
    if not now.tiles:
        return _said("–", "now_nothing")
    unproven = [one.pipeline for one in now.tiles if one.serving and not one.serving.proven]
    if unproven:
        return _said("!", "now_unproven", names=_listed(unproven))
    unknown = [one.pipeline for one in now.tiles if one.serving is None]
    if unknown:
        return _said("?", "now_unknown", names=_listed(unknown))
    drifted = [one.pipeline for one in now.tiles if _surprises(one)]
    if drifted:
        return _said("!", "now_drift", names=_listed(drifted))
    if now.pauses:
        names = [one.pipeline for one in now.pauses if one.pipeline is not None]
        everything = len(names) < len(now.pauses)
        return _said("‖", "now_paused", names="Everything" if everything else _listed(names))
    return _on_the_way(now)


def _on_the_way(now: Now) -> Headline:
    under_way = [row for one in now.tiles for row in one.under_way]
    ended = [row for row in map(missed, now.tiles) if row and _wants_a_person(row)]
    pinned = [row for row in ended if row.reason.code in PIN_BACK]
    waits = [row for row in under_way if _wants_a_person(row)] + pinned
    if waits:
        what = f"{len(waits)} releases wait" if len(waits) > 1 else f"{waits[0].version} waits"
        return _said("…", "now_waits", what=what)
    if under_way:
        count = f"{len(under_way)} more are" if len(under_way) > 1 else f"{under_way[0].version} is"
        return _said("…", "now_under_way", count=count)
    if ended:
        return _said("✗", "now_missed", names=_listed([row.version for row in ended]))
    return _said("✓", "now_calm")


def missed(tile: Tile) -> ReleaseRow | None:
    """What failed or was taken back last, unless a newer one serves and its pin is back."""
    row = tile.last_failure
    if row is None or tile.serving is None or row.reason.code in PIN_BACK:
        return row
    try:
        return row if Version(row.version) > Version(tile.serving.version) else None
    except InvalidVersion:
        return row


def _surprises(tile: Tile) -> bool:
    return tile.drift is not None and any(one.verdict == "surprise" for one in tile.drift.gaps)


def _wants_a_person(row: ReleaseRow) -> bool:
    return row.waits_for is not None and row.waits_for.who not in NO_PERSON


def _said(sign: str, code: str, **words: object) -> Headline:
    return Headline(sign, say(code, **words).sentence)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
