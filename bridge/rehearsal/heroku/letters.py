"""The webhooks of the simulated Heroku. Pure.

Shape and signature: https://devcenter.heroku.com/articles/app-webhooks and …/webhook-events.
"""

import base64
import hashlib
import hmac
import json
import uuid
from typing import Literal

from bridge.rehearsal.heroku.records import new_id, user_json
from bridge.rehearsal.letters import Letter

# One subscription, made by hand at the start: its id never changes.
WEBHOOK = str(uuid.uuid5(uuid.NAMESPACE_URL, "rehearsal-webhook"))


def letter(
    resource: Literal["build", "release"],
    action: Literal["create", "update"],
    data: dict[str, object],
    previous: dict[str, object],
    *,
    by: str,
    at: str,
    secret: str,
) -> Letter:
    """One signed event; `previous` holds the old values of what changed."""
    event = new_id()
    body = json.dumps(
        {
            "action": action,
            "actor": user_json(by),
            "created_at": at,
            "data": data,
            "id": event,
            "previous_data": previous,
            "published_at": at,
            "resource": resource,
            "sequence": None,
            "updated_at": at,
            "version": "application/vnd.heroku+json; version=3",
            "webhook_metadata": {
                "attempt": {"id": new_id()},
                "delivery": {"id": new_id()},
                "event": {"id": event, "include": f"api:{resource}"},
                "webhook": {"id": WEBHOOK},
            },
        }
    ).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "Heroku-Webhook-Hmac-SHA256": base64.b64encode(digest).decode(),
    }
    return Letter("heroku", headers, body)
