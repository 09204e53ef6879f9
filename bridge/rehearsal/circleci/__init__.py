"""A CircleCI which really runs the jobs that `.circleci/config.yml` selects for a pushed ref.

It reads the configuration at the pushed commit, runs the jobs on this machine (`circleci_job`),
reports each as CircleCI's GitHub integration does, and after each workflow sends the signed
webhook (`circleci_webhook`). Callbacks are called from background threads.
"""

import itertools
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bridge.errors import Misconfigured
from bridge.rehearsal.circleci.config import Job, Workflow, select
from bridge.rehearsal.circleci.job import (
    Container,
    Processes,
    Source,
    machine_environment,
    run_job,
)
from bridge.rehearsal.circleci.webhook import (
    COMMIT_DATES,
    COMMIT_FORMAT,
    JobRun,
    Pipeline,
    Project,
    WorkflowRun,
    workflow_completed,
)
from bridge.rehearsal.letters import Post

WORKFLOWS_AT_ONCE = 8

State = Literal["pending", "success", "failure", "error"]


@dataclass(frozen=True)
class Report:
    """What GitHub is to show beside a commit."""

    sha: str
    context: str
    state: State
    description: str
    target_url: str


_OUTCOMES: dict[str, tuple[State, str]] = {
    "success": ("success", "Your tests passed on CircleCI!"),
    "failed": ("failure", "Your tests failed on CircleCI"),
    "infrastructure_fail": ("error", "CircleCI could not set up the job"),
}


class CircleCI:
    """`project` is a slug, gh/<owner>/<name>; `parameters` override those of the configuration."""

    def __init__(
        self,
        *,
        repository: Path,
        project: str,
        contexts: Mapping[str, Mapping[str, str]],
        secret: str,
        post: Post,
        report: Callable[[Report], None],
        folder: Path,
        default_branch: str = "main",
        parameters: Mapping[str, object] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        _, owner, name = project.split("/")
        self.runs: list[WorkflowRun] = []
        self._repository = repository
        self._project = Project(owner, name)
        self._contexts = contexts
        self._secret = secret
        self._post = post
        self._report = report
        self._folder = folder
        self._default_branch = default_branch
        self._parameters = parameters or {}
        self._tell = tell or (lambda line: None)
        self._pipeline_numbers = itertools.count(1)
        self._job_numbers = itertools.count(1)
        self._processes: dict[str, Processes] = {}
        self._pool = ThreadPoolExecutor(WORKFLOWS_AT_ONCE, "circleci")
        self._ends: list[Future[None]] = []
        self._stopped = False

    def push(self, ref: str, revision: str) -> None:
        """Starts what the configuration at `revision` selects for `ref`; returns at once.

        `revision` may be an annotated tag: what is built is the commit that it points to.
        Raises `Misconfigured`, before anything runs, for a configuration it does not understand.
        """
        revision = self._git("rev-parse", f"{revision}^{{commit}}").strip()
        text = self._git("show", f"{revision}:.circleci/config.yml")
        workflows = select(text, ref, self._default_branch, self._parameters)
        wanted = {name for flow in workflows for job in flow.jobs for name in job.contexts}
        if unknown := wanted - self._contexts.keys():
            raise Misconfigured(f"no such context: {', '.join(sorted(unknown))}")
        pipeline = Pipeline(next(self._pipeline_numbers), ref, revision)
        self._cancel_redundant(ref)
        for workflow in workflows:
            jobs = [self._blocked(job) for job in workflow.jobs]
            run = WorkflowRun(workflow.name, self._project, pipeline, jobs)
            self.runs.append(run)
            self._processes[run.id] = Processes()
            end = self._pool.submit(self._run_workflow, run, workflow)
            end.add_done_callback(self._tell_of_a_bug)
            self._ends.append(end)

    def wait(self, timeout: float) -> None:
        """Until all workflows have ended; raises TimeoutError, or the bug that ended one."""
        done, late = wait_for(self._ends, timeout)
        if late:
            raise TimeoutError(f"{len(late)} workflows still run after {timeout} s")
        for end in done:
            end.result()

    def stop(self) -> None:
        """Kills whatever runs. What was cut off sends no webhook and no commit status."""
        self._stopped = True
        for processes in list(self._processes.values()):
            processes.stop()
        self._pool.shutdown(cancel_futures=True)

    def _cancel_redundant(self, ref: str) -> None:
        """A newer push to a branch cancels what still runs for it, but not on the default branch.

        Source: https://circleci.com/docs/guides/orchestrate/skip-build/
        """
        if ref.startswith("refs/heads/") and ref != f"refs/heads/{self._default_branch}":
            for run in [run for run in self.runs if run.ref == ref and run.status == "running"]:
                self._processes[run.id].stop()

    def _blocked(self, job: Job) -> JobRun:
        number = next(self._job_numbers)
        return JobRun(job.name, number, self._folder / f"{number}-{job.name}" / "log.txt")

    def _run_workflow(self, run: WorkflowRun, workflow: Workflow) -> None:
        with ThreadPoolExecutor(len(workflow.jobs)) as pool:
            ends: dict[str, Future[bool]] = {}
            for job, record in zip(workflow.jobs, run.jobs, strict=True):
                needs = [ends[name] for name in job.requires]
                ends[job.name] = pool.submit(self._run_job, run, job, record, needs)
        for end in ends.values():
            end.result()
        run.stopped = datetime.now(UTC)
        if self._stopped:
            run.status = "canceled"
            return
        went_well = all(job.status == "success" for job in run.jobs)
        canceled = self._processes[run.id].stopped
        run.status = "canceled" if canceled else "success" if went_well else "failed"
        dates = f"--date={COMMIT_DATES}"
        commit = self._git("log", "-1", f"--format={COMMIT_FORMAT}", dates, run.revision)
        self._post(workflow_completed(run, run.stopped, commit, self._secret))

    def _run_job(
        self, run: WorkflowRun, job: Job, record: JobRun, needs: Sequence[Future[bool]]
    ) -> bool:
        if not all(need.result() for need in needs):
            record.status = "not_run"
            return False
        self._say(run, record, "pending", "CircleCI is running your tests")
        record.status = "running"
        began = time.monotonic()
        container = self._container(run, job, record)
        source = Source(self._repository, run.revision, run.pipeline.vcs.get("branch"))
        outcome = run_job(job, source, container, self._tell)
        record.seconds = time.monotonic() - began
        if self._processes[run.id].stopped:
            record.status = "canceled"
            if not self._stopped:
                self._tell(f"{record.name}: canceled, the branch has a newer commit")
                self._say(run, record, "error", "Your tests were canceled on CircleCI")
            return False
        record.status = outcome
        self._say(run, record, *_OUTCOMES[outcome])
        return outcome == "success"

    def _container(self, run: WorkflowRun, job: Job, record: JobRun) -> Container:
        secrets = {k: v for name in job.contexts for k, v in self._contexts[name].items()}
        environment = {
            "CI": "true",
            "CIRCLECI": "true",
            "CIRCLE_SHA1": run.revision,
            **{f"CIRCLE_{kind.upper()}": name for kind, name in run.pipeline.vcs.items()},
            "CIRCLE_JOB": record.name,
            "CIRCLE_BUILD_NUM": str(record.number),
            "CIRCLE_BUILD_URL": f"{run.url}/jobs/{record.number}",
            "CIRCLE_WORKFLOW_ID": run.id,
            "CIRCLE_PROJECT_USERNAME": self._project.owner,
            "CIRCLE_PROJECT_REPONAME": self._project.name,
        }
        return Container(record.log.parent, environment, secrets, self._processes[run.id])

    def _say(self, run: WorkflowRun, record: JobRun, state: State, description: str) -> None:
        if record.status in ("failed", "infrastructure_fail"):
            self._tell(f"{record.name}: {record.status}, see {record.log}")
        context, url = f"ci/circleci: {record.name}", f"{run.url}/jobs/{record.number}"
        self._report(Report(run.revision, context, state, description, url))

    def _tell_of_a_bug(self, end: Future[None]) -> None:
        if not end.cancelled() and (error := end.exception()):
            self._tell(f"the simulated CircleCI broke: {error!r}")

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "--git-dir", str(self._repository), *arguments],
            env={**machine_environment(), "TZ": "UTC"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Misconfigured(f"git {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout
