"""Releases for the measurements, and a bridge that knows their pipelines."""

from datetime import datetime

from bridge.facts import Facts
from bridge.release import Release, Stage
from bridge.settings import Settings

PIPELINES = 50


def settings(url: str) -> Settings:
    """A bridge of so many pipelines, each with an app of its own."""
    pipelines = [
        {
            "name": f"model-{number}",
            "package": "regression-model",
            "index": "http://index.test/acme/",
            "repository": "acme/model-deployment",
            "app": f"app-{number}",
            "api_url": "http://api.test",
        }
        for number in range(PIPELINES)
    ]
    return Settings.model_validate({"database_url": url, "pipeline": pipelines})


def release(number: int, due: datetime, pipeline: str) -> Release:
    """One that was announced and has not moved."""
    version = f"1.0.{number}"
    return Release(
        pipeline=pipeline,
        package="regression-model",
        version=version,
        canonical=version,
        app=pipeline.replace("model", "app"),
        stage=Stage.ANNOUNCED,
        code="announced",
        sentence="It was announced.",
        since=due,
        created_at=due,
        due_at=due,
        facts=Facts(),
    )
