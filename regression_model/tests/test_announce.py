"""Telling the bridge: what it is told, how it is signed, and what happens when it is away."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from neighbours import Neighbours
from publish import dist
from publish.errors import NotPublished
from publishing import COMMIT, SECRET, environment, run
from standardwebhooks import Webhook, WebhookVerificationError

from regression_model import __version__


def test_the_announcement_is_signed_by_the_standard(
    town: Neighbours, project: Path, built: list[dist.File]
) -> None:
    run(
        project,
        built,
        environment(
            town,
            CIRCLE_TAG=f"v{__version__}",
            CIRCLE_JOB="train_and_upload_regression_model",
            CIRCLE_BUILD_URL="https://ci.example.com/jobs/7",
            CIRCLE_WORKFLOW_ID="00000000-0000-4000-8000-000000000007",
            # Two while it is rotated: the first signs.
            BRIDGE_WEBHOOK_SECRETS__PUBLISHER=f"{SECRET},whsec_b2xkLW9sZC1vbGQ=",
        ),
    )

    [told] = town.asked("/webhooks/publisher")
    said = Webhook(SECRET).verify(told.body, told.headers)  # an independent implementation
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(told.body + b" ", told.headers)
    assert re.fullmatch(r"regression-model_[0-9-]+_[0-9a-f]{16}", told.headers["webhook-id"])
    assert told.headers["webhook-id"].endswith(dist.wheel(built).sha256[:16])
    datetime.strptime(said.pop("timestamp"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert said == {
        "type": "model.published",
        "data": {
            "package": "regression-model",
            "version": __version__,
            "files": [
                {"filename": file.path.name, "sha256": file.sha256, "size": file.size}
                for file in built
            ],
            "commit": COMMIT,
            "tag": f"v{__version__}",
            "ci": {
                "system": "circleci",
                "job": "train_and_upload_regression_model",
                "url": "https://ci.example.com/jobs/7",
                "workflow": "00000000-0000-4000-8000-000000000007",
            },
            "card": json.loads((project / "regression_model/model_card.json").read_bytes()),
        },
    }


def test_without_ci_and_tag_the_announcement_says_so(
    town: Neighbours, project: Path, built: list[dist.File]
) -> None:
    run(project, built, environment(town))

    said = json.loads(town.asked("/webhooks/publisher")[0].body)["data"]
    assert (said["tag"], said["ci"]) == (None, None)


def test_announced_twice_it_is_one_delivery(
    town: Neighbours, project: Path, built: list[dist.File]
) -> None:
    town.bridge = [202, 200]

    run(project, built, environment(town))
    run(project, built, environment(town))

    assert len({told.headers["webhook-id"] for told in town.asked("/webhooks/publisher")}) == 1


def test_no_bridge_is_no_failure(
    town: Neighbours,
    project: Path,
    built: list[dist.File],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(project, built, environment(town, BRIDGE_URL=""))

    assert "sweep" in capsys.readouterr().out
    assert town.asked("/webhooks/publisher") == []


def test_a_bridge_that_is_away_for_a_moment_is_asked_again(
    town: Neighbours, project: Path, built: list[dist.File]
) -> None:
    town.bridge = [500, 503, 202]

    slept = run(project, built, environment(town))

    assert slept == [1.0, 2.0]
    told = town.asked("/webhooks/publisher")
    assert len({request.body for request in told}) == 1
    for request in told:
        Webhook(SECRET).verify(request.body, request.headers)


@pytest.mark.parametrize(
    ("status", "attempts", "said"),
    [(401, 1, "another secret"), (404, 1, "set BRIDGE_"), (400, 1, "log"), (500, 5, "5 times")],
)
def test_a_bridge_that_will_not_take_it_is_a_failure(
    town: Neighbours, project: Path, built: list[dist.File], status: int, attempts: int, said: str
) -> None:
    town.bridge = [status]

    with pytest.raises(NotPublished, match=said):
        run(project, built, environment(town))

    assert len(town.asked("/webhooks/publisher")) == attempts


def test_a_bridge_that_is_not_there_is_a_failure_in_the_end(
    town: Neighbours, project: Path, built: list[dist.File]
) -> None:
    with pytest.raises(NotPublished, match="no answer"):
        run(project, built, environment(town, BRIDGE_URL="http://127.0.0.1:9"))
