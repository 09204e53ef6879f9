"""Checks that the model may be published, builds it, and measures the files."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from publish.errors import NotPublished

PACKAGE = "regression-model"


class _Model(BaseModel):
    file: str
    sha256: str


class _Card(BaseModel):
    model_config = ConfigDict(extra="ignore")

    version: str
    model: _Model


@dataclass(frozen=True)
class File:
    """One file to upload; `sha256` is 64 hex digits."""

    path: Path
    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> "File":
        content = path.read_bytes()
        return cls(path, hashlib.sha256(content).hexdigest(), len(content))


@dataclass(frozen=True)
class Trained:
    """What is going to be published: the version and the card as it stands in the file."""

    version: str
    card: dict[str, JsonValue]


def check(project: Path, environment: Mapping[str, str]) -> Trained:
    """The trained model of the project.

    Raises NotPublished when the tag is of another version, when nothing was trained, or when the
    card is not of this version and these bytes.
    """
    package = project / "regression_model"
    version = (package / "VERSION").read_text(encoding="utf-8").strip()
    tag = environment.get("CIRCLE_TAG")
    if tag and tag != f"v{version}":
        raise NotPublished(f"the tag is {tag}, but VERSION says {version}: tag v{version} instead")
    train_first = "run: python -m regression_model train"
    try:
        onnx = (package / "model.onnx").read_bytes()
        content = (package / "model_card.json").read_bytes()
        card = _Card.model_validate_json(content)
    except FileNotFoundError as error:
        raise NotPublished(f"{Path(error.filename).name} is missing; {train_first}") from None
    except ValidationError:
        raise NotPublished(f"model_card.json is not a model card; {train_first}") from None
    if card.version != version:
        raise NotPublished(f"the card is of {card.version}, VERSION says {version}; {train_first}")
    if card.model.sha256 != hashlib.sha256(onnx).hexdigest():
        raise NotPublished(f"model.onnx is not the model of the card; {train_first}")
    return Trained(version, TypeAdapter(dict[str, JsonValue]).validate_json(content))


def build(project: Path, environment: Mapping[str, str]) -> list[File]:
    """Build wheel and sdist into `dist/`, which is emptied first: everything in it is uploaded."""
    dist = project / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    # Without isolation nothing is downloaded: the build backend is the one that is locked.
    built = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, project],
        env={**os.environ, "SOURCE_DATE_EPOCH": _epoch(project, environment)},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise NotPublished(f"the build failed:\n{built.stdout[-2000:]}{built.stderr[-2000:]}")
    # The wheel goes last: an index that shows it has everything.
    return [File.of(path) for path in sorted(dist.iterdir(), key=lambda p: p.suffix == ".whl")]


def wheel(files: list[File]) -> File:
    """The wheel among the files."""
    return next(file for file in files if file.path.suffix == ".whl")


def commit(project: Path, environment: Mapping[str, str]) -> str | None:
    """The commit that is published: CI's word, else git's, else unknown."""
    return environment.get("CIRCLE_SHA1") or _git(project, "rev-parse", "HEAD")


def _epoch(project: Path, environment: Mapping[str, str]) -> str:
    """The time that goes into the archives, so that one commit builds one file.

    Without git it is the first moment that a zip file can hold.
    """
    named = environment.get("SOURCE_DATE_EPOCH")
    return named or _git(project, "log", "-1", "--format=%ct") or "315532800"


def _git(project: Path, *words: str) -> str | None:
    try:
        asked = subprocess.run(
            ["git", *words], cwd=project, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return asked.stdout.strip() or None if asked.returncode == 0 else None
