"""What `.circleci/config.yml` asks for a push: which workflows, which jobs, which steps. Pure.

It knows the keys that our own configuration uses. Any other key is refused by name, because a
rehearsal that skips what it does not know would prove nothing about the real CI.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from bridge.errors import Misconfigured
from bridge.rehearsal.circleci.expressions import Value, holds


def _spelled_out(step: object) -> object:
    """`checkout` and `- run: true` are short for maps; a bare name calls a command."""
    if isinstance(step, str):
        return {"checkout": {}} if step == "checkout" else {"call": step}
    if isinstance(step, dict) and isinstance(step.get("run"), str):
        return {**step, "run": {"command": step["run"]}}
    return step


def _with_options(job: object) -> object:
    return {job: {}} if isinstance(job, str) else job


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Checkout(_Strict):
    method: Literal["full", "blobless"] = "blobless"


class Run(_Strict):
    command: str
    name: str | None = None
    environment: dict[str, str] = {}
    working_directory: str = "."

    @field_validator("command")
    @classmethod
    def _holds_no_template(cls, command: str) -> str:
        if "<<" in command:
            raise ValueError("<< … >> is not understood in a command")
        return command

    @property
    def title(self) -> str:
        return self.name or self.command.strip().splitlines()[0]


class _Step(_Strict):
    checkout: Checkout | None = None
    run: Run | None = None
    call: str | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("a step is one thing")
        return self


_Steps = list[Annotated[_Step, BeforeValidator(_spelled_out)]]


class _Image(_Strict):
    image: str


class _Job(_Strict):
    docker: Annotated[list[_Image], Field(min_length=1, max_length=1)]
    environment: dict[str, str] = {}
    steps: _Steps


class _Command(_Strict):
    steps: _Steps


class _Parameter(_Strict):
    type: Literal["boolean"]
    default: bool
    description: str = ""


class _Use(_Strict):
    requires: list[str] = []
    context: list[str] = []
    filters: str | None = None


class _Workflow(_Strict):
    jobs: list[Annotated[dict[str, _Use], BeforeValidator(_with_options)]]


class _Config(_Strict):
    version: Annotated[float, Field(ge=2.1, le=2.1)]
    parameters: dict[str, _Parameter] = {}
    commands: dict[str, _Command] = {}
    jobs: dict[str, _Job]
    workflows: dict[str, _Workflow]


@dataclass(frozen=True)
class Job:
    name: str
    image: str
    environment: Mapping[str, str]
    contexts: Sequence[str]
    requires: Sequence[str]
    steps: Sequence[Checkout | Run]


@dataclass(frozen=True)
class Workflow:
    """Its jobs are in an order in which each comes after those it requires."""

    name: str
    jobs: Sequence[Job]


def select(text: str, ref: str, default_branch: str, given: Mapping[str, object]) -> list[Workflow]:
    """The workflows that a push of `ref` (refs/heads/… or refs/tags/…) starts.

    `given` overrides pipeline parameters. Raises `Misconfigured` for what is not understood.
    """
    try:
        config = _Config.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise Misconfigured(f"config.yml is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"config.yml is not understood: {where}: {first['msg']}") from error
    values = _values(config, ref, default_branch, given)
    workflows = [
        Workflow(name, _jobs(config, name, workflow, values, tagged=ref.startswith("refs/tags/")))
        for name, workflow in config.workflows.items()
    ]
    return [workflow for workflow in workflows if workflow.jobs]


def _values(
    config: _Config, ref: str, default_branch: str, given: Mapping[str, object]
) -> dict[str, Value]:
    branch, tag = ref.removeprefix("refs/heads/"), ref.removeprefix("refs/tags/")
    if (branch == ref) == (tag == ref):
        raise Misconfigured(f"{ref} is neither a branch nor a tag")
    values: dict[str, Value] = {
        "pipeline.git.branch": "" if branch == ref else branch,
        "pipeline.git.branch.is_default": branch == default_branch and branch != ref,
        "pipeline.git.tag": "" if tag == ref else tag,
    }
    for name, parameter in config.parameters.items():
        value = given.get(name, parameter.default)
        if not isinstance(value, bool):
            raise Misconfigured(f"the pipeline parameter {name} must be true or false")
        values[f"pipeline.parameters.{name}"] = value
    if unknown := given.keys() - config.parameters.keys():
        raise Misconfigured(f"config.yml has no pipeline parameter {', '.join(sorted(unknown))}")
    return values


def _jobs(
    config: _Config, workflow: str, body: _Workflow, values: Mapping[str, Value], *, tagged: bool
) -> list[Job]:
    uses = {name: use for entry in body.jobs for name, use in entry.items()}
    if len(uses) != sum(map(len, body.jobs)):
        raise Misconfigured(f"workflow {workflow} has a job twice")
    if unknown := uses.keys() - config.jobs.keys():
        raise Misconfigured(f"workflow {workflow} has jobs that nobody wrote: {sorted(unknown)}")
    if foreign := {name for use in uses.values() for name in use.requires} - uses.keys():
        raise Misconfigured(f"workflow {workflow} requires jobs that it has not: {sorted(foreign)}")
    try:
        order = list(TopologicalSorter({n: u.requires for n, u in uses.items()}).static_order())
    except CycleError as error:
        raise Misconfigured(f"workflow {workflow} has jobs that require each other") from error
    chosen: dict[str, Job] = {}
    for name in order:
        use = uses[name]
        wanted = not tagged if use.filters is None else holds(use.filters, values)
        # Theirs: of its required jobs, those that are filtered out are forgotten; if that is all
        # of them, the job is out too.
        requires = [needed for needed in use.requires if needed in chosen]
        if wanted and (requires or not use.requires):
            chosen[name] = _job(config, name, use.context, requires)
    return list(chosen.values())


def _job(config: _Config, name: str, contexts: Sequence[str], requires: Sequence[str]) -> Job:
    job = config.jobs[name]
    steps = [
        each
        for step in job.steps
        for each in (_command(config, step.call).steps if step.call else [step])
    ]
    if nested := [step.call for step in steps if step.call]:
        raise Misconfigured(f"a command that calls another, {nested[0]}, is not understood")
    plain = [each for step in steps for each in (step.checkout, step.run) if each]
    return Job(name, job.docker[0].image, job.environment, contexts, requires, plain)


def _command(config: _Config, name: str) -> _Command:
    if name not in config.commands:
        raise Misconfigured(f"the step {name} is not understood")
    return config.commands[name]
