"""What holds at every moment, whatever went wrong before it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import text
from sqlmodel import Session, SQLModel, col, select

from bridge import audit
from bridge.delivery import Delivery
from bridge.rehearsal.github import BOT, GitHub
from bridge.rehearsal.heroku import Heroku
from bridge.release import MOVES, Release, Stage, Transition
from bridge.served import Served, history
from bridge.store import Store, books, record
from bridge.tally import CAME, Count, Tally, recount

EXPLAINED = {
    "createRef": ("intent_branch",),
    "createCommitOnBranch": ("intent_branch", "intent_rewrite"),
    "updatePullRequest": ("intent_rewrite",),
    "createPullRequest": ("intent_branch",),
    "mergePullRequest": ("intent_merge",),
    "enablePullRequestAutoMerge": ("intent_merge_later",),
    "disablePullRequestAutoMerge": ("intent_hold",),
    "enqueuePullRequest": ("intent_enqueue",),
    "closePullRequest": ("intent_close",),
    "addComment": ("intent_close",),
    "deleteRef": ("intent_close", "intent_delete"),
    "createStatus": ("intent_status", "intent_answer"),
    "createDeployment": ("intent_deployment",),
    "createDeploymentStatus": ("intent_deployment",),
    "addLabels": ("intent_ask",),
    "requestReviewers": ("intent_ask",),
    "create_build": ("intent_build", "intent_rebuild"),
    "create_release": ("intent_rollback",),
    "cancel_build": ("intent_cancel",),
}


@dataclass
class Evidence:
    """Whom to ask: the bridge's database, its neighbours, and what its senders were told.

    `acknowledged` are the sha256 of every body that was answered with 2xx, `secrets` what nobody
    may ever read.
    """

    store: Store
    github: GitHub
    heroku: Heroku
    secrets: Collection[str]
    acknowledged: set[str] = field(default_factory=set)


def must_hold(evidence: Evidence) -> None:
    """The ten invariants; raises AssertionError that names the first which does not hold."""
    evidence.store.read_now(lambda session: _the_database(session, evidence))
    _the_neighbours(evidence)


def _the_database(session: Session, evidence: Evidence) -> None:
    rows = session.exec(select(Release)).all()
    lines = session.exec(select(Transition).order_by(text("seq"))).all()
    kept = set(session.exec(select(Delivery.sha256)).all())
    assert set() == evidence.acknowledged - kept, "I1: an acknowledged delivery is lost"
    versions = Counter((row.pipeline, row.package, row.canonical) for row in rows)
    assert set(versions.values()) <= {1}, "I2: two releases of one version"
    for row in rows:
        _its_way([line for line in lines if line.release_id == row.id], row)
        assert row.stage.is_end or row.due_at is not None, f"I8: {row} hangs"
        if row.stage is Stage.VERIFIED:
            good = {one.version for one in row.facts.readings if one.verdict == "matches"}
            assert good == {row.version}, "I9: verified without a reading that says so"
    _explained(Counter(line.code for line in lines if line.kind == "intent"), evidence)
    verdict = audit.verify(record.chain(session))
    assert verdict.holds, f"I6: {verdict}"
    _keeps_books(session, rows, lines)
    _keeps_quiet(session, evidence)


def _keeps_books(session: Session, rows: Sequence[Release], lines: Sequence[Transition]) -> None:
    """What is kept beside the record is what anybody would make of the record."""
    whose = {row.id: row for row in rows}
    told = [books.told(whose[line.release_id], line) for line in lines]
    kept = session.exec(select(Tally).where(~col(Tally.what).startswith(CAME))).all()
    known = {Count(one.pipeline, one.what, one.day, one.bucket): one.count for one in kept}
    assert Counter(recount(told)) == known, "I10: the counts are not those of the record"
    served = session.exec(select(Served).order_by(col(Served.seq))).all()
    made = [one.model_dump() for one in history(told)]
    assert made == [one.model_dump() for one in served], "I10: something else served"


def _its_way(lines: list[Transition], row: Release) -> None:
    stages = [line.to_stage for line in lines if line.kind == "move"]
    assert stages[0] == Stage.ANNOUNCED, f"I4: begins at {stages[0]}"
    for was, to in pairwise(stages):
        assert Stage(to) in MOVES[Stage(was)], f"I4: no way from {was} to {to}"
    assert stages[-1] == row.stage, f"I4: stands at {row.stage}, the record says {stages[-1]}"


def _explained(intents: Counter[str], evidence: Evidence) -> None:
    """Every effect in a neighbour's journal was announced before it was tried."""
    told = Counter(name for call in evidence.github.calls for name in call.effects)
    told.update(call.operation for call in evidence.heroku.calls if call.status in (200, 201))
    for effect, codes in EXPLAINED.items():
        announced = sum(intents[code] for code in codes)
        assert told[effect] <= announced, f"I5: {told[effect]} {effect}, {announced} announced"


def _keeps_quiet(session: Session, evidence: Evidence) -> None:
    pulls = evidence.github.pulls.values()
    said = [f"{pull.title} {pull.body} {pull.comments}" for pull in pulls]
    for table in SQLModel.metadata.sorted_tables:
        said += [str(tuple(row)) for row in session.execute(table.select())]
    everything = "\n".join(said)
    for secret in evidence.secrets:
        assert secret not in everything, f"I7: a secret leaked: {secret[:12]}…"


def _retries(session: Session) -> int:
    """How often a person had a version tried again."""
    lines = session.exec(select(Transition).where(Transition.code == "retried")).all()
    return len(lines)


def _rebuilds(session: Session) -> int:
    """How often a commit was built anew, because Heroku had not kept it."""
    return len(session.exec(select(Transition).where(Transition.code == "intent_rebuild")).all())


def _the_neighbours(evidence: Evidence) -> None:
    ours = [pull for pull in evidence.github.pulls.values() if pull.author == BOT]
    heads = Counter(pull.head for pull in ours)
    retries = evidence.store.read_now(_retries)
    assert max(heads.values(), default=0) <= 1 + retries, f"I3: {heads}, {retries} retries"
    merges = sum(call.effects.count("mergePullRequest") for call in evidence.github.calls)
    assert merges <= sum(pull.merged for pull in ours), "I3: merged twice"
    shas = Counter(build.source.version for build in evidence.heroku.builds)
    anew = evidence.store.read_now(_rebuilds)
    assert max(shas.values(), default=0) <= 1 + retries + anew, "a commit was built twice"
