"""Tells the bridge what was published: one signed POST, Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import httpx
from pydantic import JsonValue

from publish.dist import PACKAGE, File, Trained, wheel
from publish.errors import NotPublished
from publish.settings import BRIDGE_SECRET, Bridge

PAUSES = (1.0, 2.0, 4.0, 8.0)
NEXT = {
    401: f"the bridge knows another secret: compare {BRIDGE_SECRET} on both sides, and the clocks",
    404: f"the bridge has no secret for this source: set {BRIDGE_SECRET} there",
}


def body(
    trained: Trained,
    files: list[File],
    environment: Mapping[str, str],
    *,
    commit: str | None,
    now: datetime,
    attested: Sequence[Mapping[str, str]] = (),
) -> bytes:
    """The announcement as JSON: what was published, from which commit, by which CI job, and who
    vouches for it."""
    tag = environment.get("CIRCLE_TAG") or None
    said: list[JsonValue] = [
        {"filename": file.path.name, "sha256": file.sha256, "size": file.size} for file in files
    ]
    data: dict[str, JsonValue] = {
        "package": PACKAGE,
        "version": trained.version,
        "files": said,
        "commit": commit,
        "tag": tag,
        "ci": _ci(environment),
        "card": trained.card,
    }
    if attested:
        data["attestations"] = [dict(one) for one in attested]
    timestamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    announcement = {"type": "model.published", "timestamp": timestamp, "data": data}
    return json.dumps(announcement, separators=(",", ":")).encode()


def delivery_id(version: str, files: list[File], attested: Sequence[Mapping[str, str]] = ()) -> str:
    """The same for the same wheel and signature, so that an announcement made twice is one
    delivery, but an attestation that is made later is heard."""
    name = f"{PACKAGE}_{version}_{wheel(files).sha256[:16]}"
    if attested:
        name += f"_{hashlib.sha256(repr(attested).encode()).hexdigest()[:8]}"
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)


def headers(key: bytes, name: str, content: bytes, now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks over exactly these bytes."""
    timestamp = str(int(now.timestamp()))
    signed = b".".join((name.encode(), timestamp.encode(), content))
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def announce(
    client: httpx.Client,
    bridge: Bridge,
    name: str,
    content: bytes,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> str:
    """Deliver it; the answer is what to print. Raises NotPublished when it was not taken.

    A bridge that is away for a moment is asked again, each time with a fresh signature.
    """
    trouble = ""
    for pause in (*PAUSES, None):
        try:
            answer = client.post(
                f"{bridge.url}/webhooks/publisher",
                content=content,
                headers=headers(bridge.key, name, content, clock()),
            )
        except httpx.TransportError as error:
            trouble = f"no answer ({type(error).__name__})"
        else:
            if answer.status_code in (200, 202):
                return "told the bridge" + (", which knew" if answer.status_code == 200 else "")
            trouble = f"it answered {answer.status_code}"
            if answer.status_code < 500 and answer.status_code not in (408, 429):
                hint = NEXT.get(answer.status_code, "look into the bridge's log")
                raise NotPublished(f"uploaded, but the bridge was not told: {trouble}; {hint}")
        if pause is not None:
            sleep(pause)
    raise NotPublished(
        f"uploaded, but the bridge was not told: {trouble}, {len(PAUSES) + 1} times. It will find "
        "the version by its own sweep; to tell it now, run this step again"
    )


def _ci(environment: Mapping[str, str]) -> dict[str, JsonValue] | None:
    job = environment.get("CIRCLE_JOB")
    if not job:
        return None
    return {
        "system": "circleci",
        "job": job,
        "url": environment.get("CIRCLE_BUILD_URL"),
        "workflow": environment.get("CIRCLE_WORKFLOW_ID"),
    }
