"""Checking, building, and the whole command against a real server."""

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from neighbours import Neighbours
from publish import dist, settings
from publish.errors import NotPublished
from publishing import READ_TOKEN, TOKEN, environment

from regression_model import __version__


def test_the_wheel_holds_the_model_and_nothing_but_the_package(built: list[dist.File]) -> None:
    names = zipfile.ZipFile(dist.wheel(built).path).namelist()

    assert {f"regression_model/{name}" for name in ("model.onnx", "model_card.json")} < set(names)
    assert "regression_model/VERSION" in names
    assert {name.split("/")[0] for name in names} == {
        "regression_model",
        f"regression_model-{__version__}.dist-info",
    }


def test_the_same_project_builds_the_same_files(project: Path, built: list[dist.File]) -> None:
    before = {file.path.name: file.sha256 for file in built}
    files = dist.build(project, {})

    assert len(before) == 2
    assert before == {file.path.name: file.sha256 for file in files}
    inside = zipfile.ZipFile(dist.wheel(files).path).infolist()
    assert {entry.date_time for entry in inside} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"GEMFURY_PUSH_URL": ""}, "GEMFURY_PUSH_URL"),
        ({"GEMFURY_PUSH_URL": "made-up-push-token"}, "GEMFURY_PUSH_URL"),
        ({"GEMFURY_PUSH_TOKEN": ""}, "GEMFURY_PUSH_TOKEN"),
        ({"BRIDGE_WEBHOOK_SECRETS__PUBLISHER": ""}, "nothing to sign with"),
        ({"BRIDGE_WEBHOOK_SECRETS__PUBLISHER": "made-up"}, "whsec_"),
        ({"BRIDGE_WEBHOOK_SECRETS__PUBLISHER": "whsec_%%%"}, "whsec_"),
    ],
)
def test_wrong_words_stop_it_before_anything_is_sent(
    town: Neighbours, change: dict[str, str], said: str
) -> None:
    with pytest.raises(NotPublished, match=said) as failed:
        settings.read(environment(town) | change)

    assert "made-up" not in str(failed.value)


def test_settings_do_not_show_their_secrets(town: Neighbours) -> None:
    shown = repr(settings.read(environment(town)))

    assert town.url in shown
    assert TOKEN not in shown
    assert READ_TOKEN not in shown


def test_the_wrong_tag_publishes_nothing(project: Path) -> None:
    with pytest.raises(NotPublished, match=re.escape(f"tag v{__version__} instead")):
        dist.check(project, {"CIRCLE_TAG": "v9.9.9"})


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("model.onnx", None, "model.onnx is missing; run: python -m regression_model train"),
        ("model_card.json", None, "model_card.json is missing"),
        ("model_card.json", "{}", "not a model card"),
        ("model.onnx", "other", "not the model of the card"),
        ("VERSION", "9.9.9", "VERSION says 9.9.9"),
    ],
)
def test_an_untrained_or_another_model_is_not_published(
    project: Path, tmp_path: Path, file: str, content: str | None, said: str
) -> None:
    copy = Path(shutil.copytree(project / "regression_model", tmp_path / "regression_model"))
    if content is None:
        (copy / file).unlink()
    else:
        (copy / file).write_text(content, encoding="utf-8")

    with pytest.raises(NotPublished, match=said):
        dist.check(tmp_path, {})


def test_the_command_does_it_all(town: Neighbours, project: Path) -> None:
    words = {"PATH": os.environ["PATH"], **environment(town)}
    command = [sys.executable, str(project / "publish_model.py")]

    ran = subprocess.run(command, env=words, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")
    content = town.asked("/acme/")[1].form()["package"][1]
    assert "regression_model/model.onnx" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert "told the bridge" in ran.stdout
    assert TOKEN not in ran.stdout


def test_the_command_fails_with_a_reason(town: Neighbours, project: Path) -> None:
    words = {"PATH": os.environ["PATH"], **environment(town, CIRCLE_TAG="v9.9.9")}
    command = [sys.executable, str(project / "publish_model.py")]

    ran = subprocess.run(command, env=words, capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert ran.stderr.startswith("publish_model: the tag is v9.9.9")
    assert "Traceback" not in ran.stderr
    assert town.requests == []
