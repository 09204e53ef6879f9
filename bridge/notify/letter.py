"""What a line of the record says to somebody outside: about what, in which words. Pure.

The body is that of an outgoing webhook; its `text` is the one line that a person reads.
"""

import hashlib
import json
from datetime import datetime

from pydantic import JsonValue

from bridge.columns import written
from bridge.delivery import Delivery
from bridge.errors import Reason
from bridge.notice import About
from bridge.release import Release, Stage, Transition
from bridge.sentences import capped, say, span

LONGEST_WHY = 280
ENDS = {
    Stage.VERIFIED: About.VERIFIED,
    Stage.FAILED: About.FAILED,
    Stage.ROLLED_BACK: About.ROLLED_BACK,
}
FOR_A_PERSON = {
    *("waiting_for_reviewer", "changes_requested", "draft", "blocked", "checks_failed"),
    *("somebody_pushed", "gate_broken", "gate_not_judged", "merged_against_gate"),
    *("approvals_missing", "approver_wants_changes", "maker_unknown"),
    *("waiting_for_deploy", "no_pipeline", "reverting", "revert_by_hand"),
}
"""Why a release waits for somebody, and not for something that comes by itself."""
SAYS = {
    About.VERIFIED: "tell_verified",
    About.FAILED: "tell_failed",
    About.ROLLED_BACK: "tell_rolled_back",
    About.DRIFT: "tell_drift",
    About.ALARM: "tell_alarm",
    About.PARKED: "tell_parked",
}


def about(line: Transition) -> About | None:
    """What a line is news of, if it is news to anybody."""
    match line.kind:
        case "move":
            return ENDS.get(Stage(line.to_stage))
        case "alarm":
            return About.DRIFT if line.code.startswith("drift") else About.ALARM
        case "note" if line.code == "parked":
            return About.PARKED
    return None


def asks_for_help(line: Transition) -> bool:
    """Whether from this line on the release waits for a person."""
    return line.kind != "move" and line.code in FOR_A_PERSON


def waits_for_a_person(release: Release) -> bool:
    """Whether nothing will move it but a person."""
    return release.due_at is not None and release.code in FOR_A_PERSON


def of_line(news: About, line: Transition, release: Release, public_url: str) -> str:
    """The message about a line."""
    reason = Reason(line.code, line.sentence)
    link = f"{public_url}/releases/{release.key}"
    text = say(SAYS[news], **_names(release), why=_plain(line.sentence), link=link).sentence
    data = {**_data(release, reason, link), "line": line.seq, "hash": line.hash}
    return _body(f"release.{news.value}", line.recorded_at, text, data)


def of_wait(release: Release, since: datetime, now: datetime, public_url: str) -> str:
    """The message that a release has waited for a person since then; it leads to where that person
    can do something."""
    waited = span((now - since).total_seconds())
    pull = release.facts.pull_request if release.stage is Stage.PROPOSED else None
    link = pull.url if pull else f"{public_url}/releases/{release.key}"
    words = {**_names(release), "why": _plain(release.sentence), "link": link}
    text = say("tell_waiting", span=waited, **words).sentence
    data = {**_data(release, release.reason, link), "waits_since": written(since)}
    return _body(f"release.{About.WAITING.value}", now, text, data)


def of_delivery(parked: Delivery, why: str, now: datetime, public_url: str) -> str:
    """The message about a delivery that waits for a person."""
    link = f"{public_url}/deliveries?state=parked"
    words = {"id": parked.key, "source": parked.source, "why": _plain(why), "link": link}
    reason = say("tell_delivery", **words)
    data: dict[str, JsonValue] = {
        "delivery": parked.key,
        "source": parked.source,
        "reason": {"code": "parked", "sentence": why},
        "link": link,
    }
    return _body("delivery.parked", now, reason.sentence, data)


def of_test(target: str, now: datetime, public_url: str) -> str:
    """A message that only shows whether messages arrive."""
    text = say("tell_test", target=target, link=public_url).sentence
    return _body("test", now, text, {"link": public_url})


def message_id(*parts: str) -> str:
    """The id of a message, the same whenever it is made of the same."""
    return f"msg_{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"


def _names(release: Release) -> dict[str, object]:
    return {"app": release.app, "package": release.package, "version": release.version}


def _data(release: Release, reason: Reason, link: str) -> dict[str, JsonValue]:
    facts = release.facts
    digest = facts.digest or facts.announced_digest or ""
    file: JsonValue = {"filename": facts.file, "sha256": digest.removeprefix("sha256:")}
    return {
        "release": release.key,
        "pipeline": release.pipeline,
        "package": release.package,
        "version": release.version,
        "app": release.app,
        "stage": release.stage.value,
        "reason": {"code": reason.code, "sentence": reason.sentence},
        "files": [file] if facts.file and digest else [],
        "commit": facts.commit,
        "tag": facts.tag,
        "pull_request": facts.pull_request.url if facts.pull_request else None,
        "link": link,
    }


def _body(kind: str, at: datetime, text: str, data: dict[str, JsonValue]) -> str:
    told = {"type": kind, "timestamp": written(at), "data": {"text": text, **data}}
    return json.dumps(told)


def _plain(said: str) -> str:
    """Words, some of them from outside, in one short line that rings nobody: no mention, no markup.

    Chats call everybody for `@here` and `<!channel>`.
    """
    line = " ".join("".join(one if one.isprintable() else " " for one in said).split())
    return capped(line.replace("@", "＠").replace("<", "‹").replace(">", "›"), LONGEST_WHY)
