"""Announce built files to a bridge: hash them, sign, send."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import httpx
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from pydantic import BaseModel, ValidationError

from bridge.attestation import Attestation
from bridge.columns import written
from bridge.errors import Malformed, Refused, Unavailable
from bridge.publisher.webhook import PUBLISHED, sign
from bridge.sentences import say


class Announcement(BaseModel):
    """One signed message about the files of one version."""

    identifier: str
    body: bytes


class _Said(BaseModel):
    status: str


def announcement(
    files: list[Path],
    at: datetime,
    commit: str | None,
    tag: str | None,
    ci: dict[str, str] | None = None,
    attestations: Sequence[Attestation] = (),
) -> Announcement:
    """Hash the files and say what they are. Raises Malformed for files of several versions, or for
    a file that is neither wheel nor sdist."""
    told = {_named(path) for path in files}
    if len(told) != 1:
        raise Malformed(f"files of {len(told)} versions; announce one version at a time")
    package, version = told.pop()
    entries = [
        {
            "filename": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "size": path.stat().st_size,
        }
        for path in sorted(files)
    ]
    data: dict[str, object] = {
        "package": package,
        "version": version,
        "files": entries,
        "commit": commit,
        "tag": tag,
        "ci": ci,
    }
    if attestations:
        proofs = [one.model_dump(include={"kind", "proof"}) for one in attestations]
        data["attestations"] = proofs
    body = {"type": PUBLISHED, "timestamp": written(at), "data": data}
    parts = [str(entry["sha256"]) for entry in entries] + [one.digest for one in attestations]
    digest = hashlib.sha256("".join(parts).encode()).hexdigest()
    identifier = re.sub(r"[^A-Za-z0-9_-]", "-", f"{package}-{version}-{digest[:16]}")
    return Announcement(identifier=identifier, body=json.dumps(body).encode())


def send(announced: Announcement, url: str, key: bytes, at: datetime) -> str:
    """Post it to the bridge at `url`; the bridge's word about it. Raises Unavailable or Refused."""
    headers = sign(key, announced.identifier, at, announced.body)
    address = f"{url.rstrip('/')}/webhooks/publisher"
    try:
        answer = httpx.post(address, content=announced.body, headers=headers, timeout=15)
    except httpx.TransportError as error:
        raise Unavailable(f"no bridge answers at {url} ({type(error).__name__})") from None
    if answer.status_code in (200, 202):
        try:
            return _Said.model_validate_json(answer.content).status
        except ValidationError:
            raise Unavailable(f"what answers at {url} is not a bridge") from None
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Unavailable(f"the bridge answered {answer.status_code}; send it again")
    raise Refused(say("announcement_refused", status=answer.status_code))


def _named(path: Path) -> tuple[str, str]:
    try:
        if path.suffix == ".whl":
            name, version, _, _ = parse_wheel_filename(path.name)
        else:
            name, version = parse_sdist_filename(path.name)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise Malformed(f"{path.name} is neither a wheel nor an sdist") from error
    return name, str(version)
