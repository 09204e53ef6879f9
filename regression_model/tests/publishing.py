"""What the tests of publishing share: the words of CI, one act, and a page of an index."""

import base64
from pathlib import Path

from neighbours import Neighbours
from publish import dist, settings
from publish_model import send

TOKEN, READ_TOKEN = "made-up-push-token", "made-up-read-token"
SECRET = "whsec_" + base64.b64encode(b"made-up-secret-of-32-bytes-or-so").decode()
DUPLICATE = '[{"UploadResult":{"error":{"type":"DupeVersion","message":"already exists"}}}]'
COMMIT = "c0ffee" * 6 + "c0ff"


def environment(town: Neighbours, **more: str) -> dict[str, str]:
    """What CI sets: push address, read address, bridge."""
    return {
        "GEMFURY_PUSH_URL": f"{town.url}/acme/",
        "GEMFURY_PUSH_TOKEN": TOKEN,
        "PIP_EXTRA_INDEX_URL": town.url.replace("//", f"//{READ_TOKEN}:@") + "/simple/",
        "BRIDGE_URL": town.url,
        "BRIDGE_WEBHOOK_SECRETS__PUBLISHER": SECRET,
        **more,
    }


def run(project: Path, built: list[dist.File], environment: dict[str, str]) -> list[float]:
    """Send what was built; the answer is how long it would have slept between attempts."""
    slept: list[float] = []
    trained = dist.check(project, environment)
    chosen = settings.read(environment)
    send(trained, built, chosen, environment, commit=COMMIT, sleep=slept.append)
    return slept


def listing(files: list[dist.File], digest: str | None = None) -> str:
    """A page of a simple index."""
    links = [
        f'<a href="/files/ver_1/{file.path.name}#sha256={digest or file.sha256}">x</a>'
        for file in files
    ]
    return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>"
