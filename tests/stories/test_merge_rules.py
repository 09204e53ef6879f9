"""The base branch has rules of its own: reviews, a merge queue, squashing."""

from collections.abc import Callable

from bridge.release import Stage
from tests.stories.town import Town


async def test_github_merges_by_itself_once_a_person_has_approved(town: Town) -> None:
    town.github.rules.approvals = 1
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").code == "merges_later"
    assert town.mutations("enablePullRequestAutoMerge") == 1
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert town.mutations("mergePullRequest") == 0


async def test_where_auto_merge_is_off_an_approval_is_waited_for(town: Town) -> None:
    town.github.rules.approvals, town.github.rules.auto_merge = 1, False
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").code == "blocked"
    looks = len(town.github.calls)
    town.lost = {"github"}
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert looks < 20, "a blocked merge is not tried again and again"


async def test_auto_merge_is_taken_back_when_a_check_fails(town: Town) -> None:
    town.github.rules.approvals = 1
    await town.publish("0.1.0")
    await town.run()
    town.github.set_status(town.github.pulls[1].head_sha, "failure", "smoke", "ci")
    await town.run()
    assert town.release("0.1.0").code == "checks_failed"
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert town.github.pulls[1].state == "OPEN"


async def test_a_reviewer_who_wants_changes_is_heard(town_with: Callable[..., Town]) -> None:
    town = town_with()
    town.checks = lambda sha: "pending"
    await town.publish("0.1.0")
    await town.run()
    town.github.review(1, "rosa", "CHANGES_REQUESTED")
    town.github.set_status(town.github.pulls[1].head_sha, "success", "ci/circleci: test_app", "ci")
    await town.run()
    assert town.release("0.1.0").code == "changes_requested"
    assert town.github.pulls[1].state == "OPEN"


async def test_a_merge_queue_is_used_and_its_merge_noticed(town: Town) -> None:
    town.github.rules.queue = True
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").code == "in_merge_queue"
    town.github.work_off_the_queue()
    await town.run()
    release = town.release("0.1.0")
    assert release.stage is Stage.VERIFIED
    assert release.facts.merged_by == "github-merge-queue"


async def test_a_draft_waits(town: Town) -> None:
    town.checks = lambda sha: "pending"
    await town.publish("0.1.0")
    await town.run()
    town.github.pulls[1].draft = True
    town.github.set_status(town.github.pulls[1].head_sha, "success", "ci/circleci: test_app", "ci")
    await town.run()
    assert town.release("0.1.0").code == "draft"


async def test_the_repository_decides_how_a_merge_is_made(town: Town) -> None:
    town.github.rules.method = "SQUASH"
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
