"""Publishes the trained model: check, build, upload to the private index, tell the bridge.

GEMFURY_PUSH_URL    where to upload; its user info may hold the token
GEMFURY_PUSH_TOKEN  the token, if it is not in the address
PIP_EXTRA_INDEX_URL where to look for a file that is there already
BRIDGE_URL          whom to tell; unset: nobody, the bridge's sweep will find the version
BRIDGE_WEBHOOK_SECRETS__PUBLISHER  what signs the announcement
BRIDGE_ATTESTATION_KEY  an Ed25519 key that vouches for the wheel, if the bridge trusts one
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
from publish import dist, settings
from publish.announce import announce, body, delivery_id
from publish.attest import attestations
from publish.errors import NotPublished
from publish.upload import upload

PROJECT = Path(__file__).parent
PATIENCE = httpx.Timeout(60.0, connect=10.0)


def publish(project: Path, environment: Mapping[str, str]) -> None:
    """Do it all, and print each step. Raises NotPublished; a failed check uploads nothing."""
    trained = dist.check(project, environment)
    chosen = settings.read(environment)
    files = dist.build(project, environment)
    commit = dist.commit(project, environment)
    send(trained, files, chosen, environment, commit=commit, sleep=time.sleep)


def send(
    trained: dist.Trained,
    files: list[dist.File],
    chosen: settings.Settings,
    environment: Mapping[str, str],
    *,
    commit: str | None,
    sleep: Callable[[float], None],
) -> None:
    """Upload the files, then tell the bridge. Raises NotPublished."""
    # A redirect could carry the token elsewhere, so none is followed.
    with httpx.Client(timeout=PATIENCE, follow_redirects=False) as client:
        for file in files:
            print(upload(client, chosen, file), flush=True)
        if chosen.bridge is None:
            print(f"{settings.BRIDGE_URL} is not set: the bridge will find it by its own sweep")
            return
        attested = attestations(trained.version, dist.wheel(files), environment)
        now = datetime.now(UTC)
        content = body(trained, files, environment, commit=commit, now=now, attested=attested)
        name = delivery_id(trained.version, files, attested)
        told = announce(
            client, chosen.bridge, name, content, clock=lambda: datetime.now(UTC), sleep=sleep
        )
        print(f"{told} (delivery {name})")


def main() -> int:
    """Publish from the environment of this process; 0 or 1."""
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    try:
        publish(PROJECT, os.environ)
    except NotPublished as problem:
        print(f"publish_model: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
