"""The rehearsal's CircleCI: what its jobs really do with a pushed commit, and what it then says."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from bridge.errors import Misconfigured
from bridge.rehearsal.circleci import CircleCI, Report
from bridge.rehearsal.circleci.webhook import JobRun
from bridge.rehearsal.letters import Letter

OURS = (Path(__file__).parent.parent / ".circleci/config.yml").read_text()
SECRET = "made-up-circleci-secret"
TOKEN = "made-up-push-token"
LONG = 60


class Town:
    """A bare repository, a CircleCI beside it, and everything that this CircleCI says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.bare = folder / "bare.git"
        self.letters: list[Letter] = []
        self.reports: list[Report] = []
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        git(folder, "init", "--quiet", "--initial-branch=main", str(self.work))
        git(self.work, "remote", "add", "origin", str(self.bare))
        self.contexts: dict[str, Mapping[str, str]] = {"push": {"PUSH_TOKEN": TOKEN}}
        self.circleci = CircleCI(
            repository=self.bare,
            project="gh/acme/model-deployment",
            contexts=self.contexts,
            secret=SECRET,
            post=self.letters.append,
            report=self.reports.append,
            folder=folder / "ci",
        )

    def commit(self, config: str, message: str = "Change something") -> str:
        (self.work / ".circleci").mkdir(exist_ok=True)
        (self.work / ".circleci/config.yml").write_text(config)
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--message", message)
        git(self.work, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
        return git(self.work, "rev-parse", "HEAD").strip()

    def run(self, config: str, ref: str = "refs/heads/main") -> dict[str, JobRun]:
        self.circleci.push(ref, self.commit(config))
        self.circleci.wait(60)
        return {job.name: job for run in self.circleci.runs for job in run.jobs}

    def body(self) -> dict[str, object]:
        (letter,) = self.letters
        body = json.loads(letter.body)
        assert isinstance(body, dict)
        return body


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    town.circleci.stop()


def git(folder: Path, *arguments: str) -> str:
    ada = {"NAME": "Ada", "EMAIL": "ada@example.com", "DATE": "2026-11-22T10:00:00+02:00"}
    who = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in ada.items()}
    command = ["git", "-C", str(folder), *arguments]
    env = os.environ | who
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


def config_of(commands: Mapping[str, list[str]], uses: list[object] | None = None) -> str:
    """A configuration with one workflow; each job checks out the code and runs its commands."""
    jobs = {
        name: {
            "docker": [{"image": "cimg/python:3.13"}],
            "steps": ["checkout", *({"run": command} for command in commands[name])],
        }
        for name in commands
    }
    flow = {"jobs": uses or list(commands)}
    return yaml.safe_dump({"version": 2.1, "jobs": jobs, "workflows": {"flow": flow}})


def test_a_job_checks_out_the_pushed_commit(town: Town) -> None:
    (town.work / "hello").write_text("echo hello from $(git branch --show-current)")

    job = town.run(config_of({"greet": ["bash hello"]}))["greet"]

    assert "\nhello from main\n" in job.log.read_text()


def test_a_job_learns_from_its_environment_what_it_builds(town: Town) -> None:
    job = town.run(config_of({"look": ["env"]}))["look"]

    seen = dict(line.split("=", 1) for line in job.log.read_text().splitlines() if "=" in line)
    (run,) = town.circleci.runs
    expected = {
        "CIRCLE_BRANCH": "main",
        "CIRCLE_TAG": None,
        "CIRCLE_SHA1": run.revision,
        "CIRCLE_JOB": "look",
        "CIRCLE_BUILD_NUM": "1",
        "CIRCLE_BUILD_URL": f"{run.url}/jobs/1",
        "CIRCLE_WORKFLOW_ID": run.id,
        "CIRCLE_PROJECT_USERNAME": "acme",
        "CIRCLE_PROJECT_REPONAME": "model-deployment",
        "CI": "true",
        "CIRCLECI": "true",
    }
    assert expected == {name: seen.get(name) for name in expected}


def test_a_context_reaches_only_the_jobs_that_name_it(town: Town) -> None:
    ask = 'test "$PUSH_TOKEN" = ' + TOKEN
    uses: list[object] = [{"trusted": {"context": ["push"]}}, "untrusted"]

    jobs = town.run(config_of({"trusted": [ask], "untrusted": [ask]}, uses))

    assert {n: j.status for n, j in jobs.items()} == {"trusted": "success", "untrusted": "failed"}


def test_a_failing_step_fails_the_workflow_and_what_depends_on_it_is_not_run(town: Town) -> None:
    commands = {
        "fails": ["false | true", "echo never"],
        "after": ["echo never"],
        "beside": ["true"],
    }
    uses: list[object] = ["fails", {"after": {"requires": ["fails"]}}, "beside"]

    jobs = town.run(config_of(commands, uses))

    expected = {"fails": "failed", "after": "not_run", "beside": "success"}
    assert expected == {name: job.status for name, job in jobs.items()}
    assert "<== exit code 1 after" in jobs["fails"].log.read_text()
    assert "never\n" not in jobs["fails"].log.read_text()
    assert town.circleci.runs[0].status == "failed"
    assert {"status": "failed"}.items() <= dict_at(town.body(), "workflow").items()
    assert {
        ("ci/circleci: fails", "pending"),
        ("ci/circleci: fails", "failure"),
        ("ci/circleci: beside", "pending"),
        ("ci/circleci: beside", "success"),
    } == {(report.context, report.state) for report in town.reports}
    assert {town.circleci.runs[0].revision} == {report.sha for report in town.reports}


def test_independent_jobs_run_at_the_same_time(town: Town) -> None:
    """Each opens one end of a pipe, which blocks until the other has opened the other end."""
    pipe = town.folder / "pipe"
    os.mkfifo(pipe)

    jobs = town.run(config_of({"reads": [f"cat {pipe}"], "writes": [f"echo met > {pipe}"]}))

    assert [job.status for job in jobs.values()] == ["success", "success"]
    assert "\nmet\n" in jobs["reads"].log.read_text()


def test_a_tag_is_announced_with_its_commit(town: Town) -> None:
    use: list[object] = [{"train": {"filters": "pipeline.git.tag matches /^v[0-9].*$/"}}]
    text = config_of({"train": ['test "$CIRCLE_TAG" = v0.1.0 -a -z "${CIRCLE_BRANCH+x}"']}, use)
    revision = town.commit(text, "Release 0.1.0\n\nWith a body.\n")
    git(town.work, "tag", "--annotate", "v0.1.0", "--message", "v0.1.0")
    git(town.work, "push", "--quiet", "origin", "v0.1.0")

    town.circleci.push("refs/tags/v0.1.0", git(town.work, "rev-parse", "v0.1.0").strip())
    town.circleci.wait(60)

    vcs = dict_at(town.body(), "pipeline", "vcs")
    ada = {"name": "Ada", "email": "ada@example.com"}
    assert town.circleci.runs[0].status == "success"
    assert {"tag": "v0.1.0", "revision": revision}.items() <= vcs.items()
    assert vcs["commit"] == {
        "subject": "Release 0.1.0",
        "body": "With a body.",
        "author": ada,
        "authored_at": "2026-11-22T08:00:00Z",
        "committer": ada,
        "committed_at": "2026-11-22T08:00:00Z",
    }


def dict_at(body: object, *keys: str) -> dict[str, object]:
    for key in keys:
        assert isinstance(body, dict)
        body = body[key]
    assert isinstance(body, dict)
    return body


def test_stop_kills_a_sleeping_step_and_its_children_at_once(town: Town) -> None:
    """Both hold the pipe, which ends for its reader when the last of them is dead."""
    pipe = town.folder / "pipe"
    os.mkfifo(pipe)
    sleep = f"exec > {pipe}; sleep {LONG} & echo up; wait"
    town.circleci.push("refs/heads/main", town.commit(config_of({"sleeps": [sleep]})))
    with pipe.open() as reader:
        up = reader.readline()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            town.circleci.wait(0)

        town.circleci.stop()

        rest = reader.read()
    (run,) = town.circleci.runs
    assert [up, rest] == ["up\n", ""]
    assert time.monotonic() - began < LONG / 2
    assert [run.status, run.jobs[0].status] == ["canceled", "canceled"]
    assert [town.letters, [report.state for report in town.reports]] == [[], ["pending"]]


def test_a_commit_that_was_pushed_away_is_still_built(town: Town) -> None:
    text = config_of({"job": ["true"]})
    old = town.commit(text)
    git(town.work, "commit", "--quiet", "--amend", "--message", "Another")
    git(town.work, "push", "--quiet", "--force", "origin", "HEAD:main")

    town.circleci.push("refs/heads/main", old)
    town.circleci.wait(60)

    assert [run.status for run in town.circleci.runs] == ["success"]


def test_a_missing_context_or_configuration_is_refused_before_anything_runs(town: Town) -> None:
    text = config_of({"job": ["true"]}, [{"job": {"context": ["nowhere"]}}])
    revision = town.commit(text)
    with pytest.raises(Misconfigured, match="no such context: nowhere"):
        town.circleci.push("refs/heads/main", revision)
    git(town.work, "rm", "--quiet", "-r", ".circleci")
    git(town.work, "commit", "--quiet", "--allow-empty", "--message", "No CI")
    git(town.work, "push", "--quiet", "origin", "HEAD:main")
    with pytest.raises(Misconfigured, match="git show failed"):
        town.circleci.push("refs/heads/main", git(town.work, "rev-parse", "HEAD").strip())

    assert (town.circleci.runs, town.reports) == ([], [])


def test_our_deploy_job_replaces_what_heroku_holds_by_the_folder_api(town: Town) -> None:
    """Its real steps, with a bare repository in Heroku's place by git's own redirection."""
    config = yaml.safe_load(OURS)
    use = {"deploy_app_to_heroku": {"context": ["heroku"]}}
    config["workflows"] = {"api": {"jobs": [use]}}
    heroku = town.folder / "heroku" / "house-prices-api.git"
    git(town.folder, "init", "--quiet", "--bare", str(heroku))
    git(town.work, "commit", "--quiet", "--allow-empty", "--message", "An older history")
    git(town.work, "push", "--quiet", str(heroku), "HEAD:refs/heads/main")
    town.contexts["heroku"] = {
        "HEROKU_API_KEY": "made-up-heroku-key",
        "HEROKU_APP_NAME": "house-prices-api",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{heroku.parent}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://git.heroku.com/",
    }
    (town.work / "api").mkdir()
    (town.work / "api/Procfile").write_text("web: made up\n")

    job = town.run(yaml.safe_dump(config))["deploy_app_to_heroku"]

    assert job.status == "success", job.log.read_text()
    assert git(heroku, "ls-tree", "-r", "--name-only", "main") == "Procfile\n"


def test_a_newer_push_to_a_branch_cancels_what_still_runs_for_it(town: Town) -> None:
    slow = config_of({"build": ["sleep 60"]})
    town.circleci.push("refs/heads/feature", town.commit(slow, "Slow"))
    town.circleci.push("refs/heads/feature", town.commit(config_of({"build": ["true"]}), "Quick"))
    town.circleci.wait(30)

    assert ["canceled", "success"] == [run.status for run in town.circleci.runs]


def test_nothing_is_canceled_on_the_default_branch(town: Town) -> None:
    town.circleci.push("refs/heads/main", town.commit(config_of({"build": ["sleep 1"]}), "Slow"))
    town.circleci.push("refs/heads/main", town.commit(config_of({"build": ["true"]}), "Quick"))
    town.circleci.wait(30)

    assert ["success", "success"] == [run.status for run in town.circleci.runs]
