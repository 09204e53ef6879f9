"""GitHub's webhooks: the bodies it sends, signed as it signs them.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

import hashlib
import hmac
import json
import uuid

from bridge.rehearsal.github.accounts import Json
from bridge.rehearsal.github.git import ZERO, Commit
from bridge.rehearsal.github.shapes import Shapes
from bridge.rehearsal.github.state import CommitStatus, account_id, address
from bridge.rehearsal.letters import Letter

HOOK = 1
EVENTS = ("pull_request", "push", "status")


def letter(event: str, body: Json, secret: str) -> Letter:
    """One delivery: compact JSON, signed over its very bytes."""
    raw = json.dumps(body, separators=(",", ":")).encode()
    signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/rehearsal",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(HOOK),
        "X-GitHub-Hook-Installation-Target-ID": str(account_id("repository")),
        "X-GitHub-Hook-Installation-Target-Type": "repository",
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    return Letter("github", headers, raw)


def ping(shapes: Shapes, login: str) -> Json:
    api = f"{shapes.api}/hooks/{HOOK}"
    return {
        "zen": "Keep it logically awesome.",
        "hook_id": HOOK,
        "hook": {
            "type": "Repository",
            "id": HOOK,
            "name": "web",
            "active": True,
            "events": list(EVENTS),
            "config": {"content_type": "json", "insecure_ssl": "0", "secret": "********"},
            "created_at": shapes.repository()["created_at"],
            "updated_at": shapes.repository()["created_at"],
            "url": api,
            "test_url": f"{api}/test",
            "ping_url": f"{api}/pings",
            "deliveries_url": f"{api}/deliveries",
            "last_response": {"code": None, "status": "unused", "message": None},
        },
        "repository": shapes.repository(),
        "sender": shapes.user(login),
    }


def push(
    shapes: Shapes, ref: str, before: str, after: str, commits: list[Commit], login: str
) -> Json:
    """`commits` begins with what the ref now means; behind it the rest that is new, newest first.

    Those of a new ref are left out: nobody asks, and git cannot tell them in one look.
    """
    new = [] if ZERO in (before, after) else [shapes.pushed_commit(one) for one in commits[::-1]]
    span = f"{before[:12]}...{after[:12]}" if ZERO not in (before, after) else after[:12]
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "created": before == ZERO,
        "deleted": after == ZERO,
        "forced": False,
        "base_ref": None,
        "compare": f"{shapes.page}/compare/{span}",
        "commits": new,
        "head_commit": shapes.pushed_commit(commits[0]) if commits else None,
        "repository": shapes.repository(),
        "pusher": {"name": login, "email": address(login)},
        "sender": shapes.user(login),
    }


def pull_request(shapes: Shapes, action: str, pull: Json, login: str, more: Json) -> Json:
    """`more` is what only some actions tell: `before` and `after` of a synchronize."""
    return {
        "action": action,
        "number": pull["number"],
        "pull_request": pull,
        "repository": shapes.repository(),
        "sender": shapes.user(login),
    } | more


def status(shapes: Shapes, one: CommitStatus, commit: Commit, branches: list[str]) -> Json:
    api = f"{shapes.api}/commits/{one.sha}"
    branch = {"commit": {"sha": one.sha, "url": api}, "protected": False}
    unsaid = {"node_id", "url"}
    return {key: value for key, value in shapes.status(one).items() if key not in unsaid} | {
        "sha": one.sha,
        "name": shapes.full_name,
        "commit": shapes.commit(commit),
        "branches": [branch | {"name": name} for name in branches],
        "repository": shapes.repository(),
        "sender": shapes.user(one.creator),
    }
