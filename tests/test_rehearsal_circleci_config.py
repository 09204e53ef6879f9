"""What a push selects from a CircleCI configuration, and what is refused in one."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bridge.errors import Misconfigured
from bridge.rehearsal.circleci.config import Run, select
from bridge.rehearsal.circleci.expressions import Value, holds

ROOT = Path(__file__).parent.parent
OURS = (ROOT / ".circleci/config.yml").read_text()
VALUES: dict[str, Value] = {
    "pipeline.git.branch": "main",
    "pipeline.git.branch.is_default": True,
    "pipeline.git.tag": "",
    "pipeline.parameters.or-not": False,
}


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (True, "pipeline.git.branch"),
        (False, "pipeline.git.tag"),
        (True, 'pipeline.git.branch == "main"'),
        (True, 'pipeline.git.branch != "canary"'),
        (False, "pipeline.git.branch == true"),
        (True, 'pipeline.git.branch starts-with "ma"'),
        (False, 'pipeline.git.tag starts-with "release"'),
        (True, "pipeline.git.branch matches /^m.*n$/"),
        (False, "pipeline.git.branch matches /mai/"),
        (True, r'"a/b" matches /a\/b/'),
        (False, "pipeline.git.branch.is_default and pipeline.parameters.or-not"),
        (True, "pipeline.git.branch.is_default or pipeline.parameters.or-not"),
        (True, "true or false and false"),
        (False, "(true or false) and false"),
        (False, "not true and false"),
        (True, "not (true and false)"),
        (False, 'not pipeline.git.branch == "main"'),
        (True, "not not true"),
        (True, '\n  pipeline.parameters.or-not\n  or pipeline.git.branch == "main"\n'),
    ],
)
def test_an_expression_holds_as_the_reference_says(expected: bool, text: str) -> None:
    assert expected is holds(text, VALUES)


@pytest.mark.parametrize(
    ("position", "why", "text"),
    [
        (1, "expected a value, found the end", ""),
        (10, "expected a value, found and", "true and and true"),
        (6, "expected the end, found false", "true false"),
        (6, "expected ), found the end", "(true"),
        (1, "pipeline.git.brunch is not known", "pipeline.git.brunch"),
        (9, "pipeline.git.brunch is not known", "true or pipeline.git.brunch"),
        (29, "expected /pattern/", 'pipeline.git.branch matches "main"'),
        (13, "bad pattern", '"x" matches /(/'),
        (1, "expected a string", "true matches /true/"),
        (17, "expected a string", '"x" starts-with true'),
        (6, "> is not understood here", "true > false"),
        (1, "' is not understood here", "'single quotes'"),
        (1, "expected a value, found /x/", "/x/"),
    ],
)
def test_a_bad_expression_is_refused_at_its_position(position: int, why: str, text: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        holds(text, VALUES)

    assert f"position {position}: {why}" in str(refusal.value)


@pytest.mark.parametrize(
    ("expected", "ref", "deploy_from_ci"),
    [
        ([("api", ["test_app"])], "refs/heads/main", False),
        ([("api", ["test_app", "deploy_app_to_heroku"])], "refs/heads/main", True),
        ([("api", ["test_app"])], "refs/heads/bridge/regression-model-0.1.1", True),
        ([("regression-model", ["train_and_upload_regression_model"])], "refs/tags/v0.1.1", True),
        ([], "refs/tags/later", True),
        ([], "refs/tags/pre-v1", False),
    ],
)
def test_our_configuration_selects(
    expected: list[tuple[str, list[str]]], ref: str, deploy_from_ci: bool
) -> None:
    workflows = select(OURS, ref, "main", {"deploy_from_ci": deploy_from_ci})

    assert expected == [(flow.name, [job.name for job in flow.jobs]) for flow in workflows]


def test_our_jobs_run_tox_with_the_contexts_they_need() -> None:
    (api,) = select(OURS, "refs/heads/x", "main", {})
    (model,) = select(OURS, "refs/tags/v1", "main", {})
    (train,) = model.jobs
    commands = [step.command for step in train.steps if isinstance(step, Run)]

    assert api.jobs[0].contexts == ["gemfury-pull"]
    assert train.contexts == ["gemfury-push", "gemfury-pull", "bridge", "kaggle"]
    assert commands[0] == "python -m pip install --require-hashes -r .circleci/requirements.txt"
    jobs = [command.strip().splitlines() for command in commands[1:]]
    tox = "tox -c regression_model/tox.ini -e "
    assert [lines[-1].removeprefix(tox) for lines in jobs] == [
        "fetch_data",
        "train",
        "test_package",
        "publish_model",
    ]
    # What makes the same commit the same wheel.
    dated = [lines[-1].removeprefix(tox) for lines in jobs if "SOURCE_DATE_EPOCH" in lines[0]]
    assert ["train", "publish_model"] == dated


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.circle-ci", ".circleci/config.yml"),
        ("vendor.compose-spec", "docker-compose.yml"),
    ],
)
def test_our_files_pass_their_published_schema(schema: str, file: str) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file]

    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("jobs.a.steps.0.save_cache: Extra inputs", {"steps": [{"save_cache": {"key": "x"}}]}),
        (
            "jobs.a.steps.0.run.background: Extra",
            {"steps": [{"run": {"command": "x", "background": True}}]},
        ),
        ("jobs.a.parallelism: Extra inputs", {"parallelism": 2}),
        ("a step is one thing", {"steps": [{"checkout": {}, "run": "true"}]}),
        ("<< … >> is not understood", {"steps": [{"run": "echo << pipeline.number >>"}]}),
        ("the step browser/install is not understood", {"steps": ["browser/install"]}),
        ("calls another, inner, is not", {"steps": ["outer"]}),
        ("jobs.b: Input should be", None),
    ],
)
def test_what_is_not_understood_is_refused(why: str, change: dict[str, object] | None) -> None:
    job: dict[str, object] = {"docker": [{"image": "cimg/base:stable"}], "steps": ["checkout"]}
    config = {
        "version": 2.1,
        "commands": {"outer": {"steps": ["inner"]}, "inner": {"steps": ["checkout"]}},
        "jobs": {"a": job | (change or {}), **({} if change else {"b": "later"})},
        "workflows": {"w": {"jobs": ["a"]}},
    }

    with pytest.raises(Misconfigured) as refusal:
        select(yaml.safe_dump(config), "refs/heads/main", "main", {})

    assert why in str(refusal.value)


@pytest.mark.parametrize(
    ("why", "jobs"),
    [
        ("jobs that nobody wrote: ['z']", ["z"]),
        ("requires jobs that it has not: ['b']", [{"a": {"requires": ["b"]}}]),
        ("require each other", [{"a": {"requires": ["b"]}}, {"b": {"requires": ["a"]}}]),
        ("has a job twice", ["a", "a"]),
        ("a.type: Extra inputs", [{"a": {"type": "approval"}}]),
    ],
)
def test_a_workflow_that_cannot_be_is_refused(why: str, jobs: list[object]) -> None:
    with pytest.raises(Misconfigured) as refusal:
        select(config_of(jobs), "refs/heads/main", "main", {})

    assert why in str(refusal.value)


def test_a_job_goes_with_the_last_of_its_required_jobs() -> None:
    """CircleCI's rule for requirements that a filter took out, which is easily got wrong."""
    uses: list[object] = [
        {"a": {"filters": "pipeline.git.branch"}},
        {"b": {"filters": "pipeline.git.tag"}},
        {"c": {"filters": "pipeline.git.tag", "requires": ["a"]}},
        {"d": {"filters": "pipeline.git.tag", "requires": ["a", "b"]}},
    ]

    (workflow,) = select(config_of(uses), "refs/tags/v1", "main", {})

    assert [(job.name, job.requires) for job in workflow.jobs] == [("b", []), ("d", ["b"])]


def config_of(uses: list[object]) -> str:
    """A configuration whose one workflow uses some of the jobs a to d as `uses` says."""
    job = {"docker": [{"image": "cimg/base:stable"}], "steps": ["checkout"]}
    flow = {"jobs": uses}
    return yaml.safe_dump(
        {"version": 2.1, "jobs": dict.fromkeys("abcd", job), "workflows": {"flow": flow}}
    )
