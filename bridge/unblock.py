"""What would let a release go on, and who can do it, by the code of its reason. Pure.

Beside `sentences.py`: there is why it stands, here is what would move it.
"""

from dataclasses import dataclass

from bridge.errors import Reason

NOBODY = "nobody"
AUTHOR = "whoever trains the model"
PUBLISHER = "whoever publishes the package"
OPERATOR = "an operator"
REVIEWER = "a reviewer"
OWNER = "whoever owns the repository"
INDEX = "the index"
GITHUB = "GitHub"
HEROKU = "Heroku"

ITSELF = "Nothing needs to be done: the bridge looks again by itself."
RETRY = "bridge retry {package} {version} --reason TEXT"
ANOTHER = "Publish another version."
MEND_PIN = f"Mend the pin on the branch, then: {RETRY}"
WHO_UPLOADED = f"Find out who uploaded what. {ANOTHER}"


def _allow(what: str) -> str:
    return f"bridge retry {{package}} {{version}} --allow {what} --reason TEXT"


UNBLOCKS: dict[str, tuple[str, str]] = {
    # announced
    "prerelease": (OPERATOR, _allow("prerelease")),
    "local_version": (OPERATOR, _allow("local")),
    "downgrade": (OPERATOR, _allow("downgrade")),
    "yanked": (OPERATOR, _allow("yanked")),
    "waiting_for_index": (INDEX, "It goes on when the file appears there."),
    "index_quarantine": (OPERATOR, f"Have the index lift its quarantine, then: {RETRY}"),
    "not_on_index": (PUBLISHER, f"Upload it, then: {RETRY}"),
    "no_wheel": (PUBLISHER, f"Upload a wheel, then: {RETRY}"),
    "two_wheels": (PUBLISHER, f"Announce which file was built, then: {RETRY}"),
    "digest_mismatch": (PUBLISHER, WHO_UPLOADED),
    "replaced": (PUBLISHER, WHO_UPLOADED),
    "gone": (PUBLISHER, f"Put the very same file back, then: {RETRY}"),
    "bad_wheel": (AUTHOR, f"Mend how the wheel is built. {ANOTHER}"),
    "startup_hook": (AUTHOR, f"Take the start-up hook out. {ANOTHER}"),
    # who built it
    "waiting_for_attestation": (PUBLISHER, "Announce it with an attestation."),
    "no_attestation": (PUBLISHER, f"Announce it with an attestation, then: {RETRY}"),
    "not_attested": (PUBLISHER, f"Announce it with an attestation, then: {RETRY}"),
    "nobody_trusted": (OPERATOR, f"Say in bridge.toml whom the pipeline trusts, then: {RETRY}"),
    "attestation_unchecked": (NOBODY, ITSELF),
    "bad_attestation": (PUBLISHER, f"Find out who attested it. {ANOTHER}"),
    # confirmed
    "no_requirements_file": (OWNER, f"Put the file on the branch, then: {RETRY}"),
    "pin_without_hash": (OWNER, f"Compile the file with hashes, then: {RETRY}"),
    "foreign_package": (OWNER, f"Compile the file with hashes, then: {RETRY}"),
    "newer_goes_first": (NOBODY, "It goes on when the newer version is proposed, or ends."),
    "replaces_soon": (NOBODY, ITSELF),
    "branch_in_use": (OWNER, "Delete the branch, if nobody needs it."),
    "no_pin": (OWNER, MEND_PIN),
    "pin_elsewhere": (OWNER, MEND_PIN),
    "pinned_twice": (OWNER, MEND_PIN),
    "pin_is_a_url": (OWNER, MEND_PIN),
    "not_an_exact_pin": (OWNER, MEND_PIN),
    "no_digest": (OWNER, MEND_PIN),
    "excluded": (OWNER, MEND_PIN),
    "unreadable_line": (OWNER, MEND_PIN),
    "takes_itself": (OWNER, MEND_PIN),
    "not_toml": (OWNER, MEND_PIN),
    "not_text": (OWNER, MEND_PIN),
    "unknown_kind": (OPERATOR, f"Name another file in bridge.toml, then: {RETRY}"),
    "does_not_resolve": (OWNER, f"Change what conflicts, on either side, then: {RETRY}"),
    "not_resolvable": (OWNER, f"Mend the file, or say resolve = false, then: {RETRY}"),
    "too_big": (OWNER, f"Need less, then: {RETRY}"),
    "no_source": (OWNER, f"Put its source on the branch, then: {RETRY}"),
    # the gate
    "gate_broken": (AUTHOR, "Publish a better version, or change the gate in bridge.toml."),
    "gate_not_judged": (AUTHOR, "Publish a version whose card says it, or change the gate."),
    "frozen": (NOBODY, f"It goes on when the freeze ends; in need: {_allow('freeze')}"),
    "pin_changed": (OWNER, "Take back what was pushed to the branch, or close the pull request."),
    "merged_against_gate": (REVIEWER, "The gate allows it after all, or the merge is reverted."),
    "merge_reverted": (NOBODY, f"Nothing, as things are; to have it after all: {RETRY}"),
    # proposed
    "waiting_for_reviewer": (REVIEWER, "Merge the pull request, or close it."),
    "waiting_for_checks": (GITHUB, "It goes on when the checks of the pull request have ended."),
    "checks_failed": (OWNER, "Mend the check, or close the pull request."),
    "changes_requested": (REVIEWER, "The reviewer approves, or the pull request is closed."),
    "draft": (REVIEWER, "Mark the pull request as ready for review."),
    "blocked": (REVIEWER, "Give the review or the check that the branch's rules ask for."),
    "merges_later": (REVIEWER, "Give the review or the check that the branch's rules ask for."),
    "in_merge_queue": (GITHUB, "It goes on when the merge queue comes to it."),
    "somebody_pushed": (REVIEWER, "Merge the pull request by hand, or close it."),
    "rewritten": (NOBODY, ITSELF),
    "pull_request_gone": (OPERATOR, RETRY),
    "declined": (NOBODY, "A person did not want it; publish another version to propose one."),
    # merged
    "building": (HEROKU, "It goes on when the build ends."),
    "app_is_busy": (HEROKU, "It goes on when the other build ends."),
    "waiting_for_deploy": ("whoever deploys", "Deploy the merge commit."),
    "waiting_for_release": (HEROKU, "It goes on when the release phase ends."),
    "build_failed": (OWNER, f"Mend what the build says. {ANOTHER}"),
    "no_app_root": (OPERATOR, f"Mend app_root in bridge.toml, then: {RETRY}"),
    "release_failed": (OWNER, f"Mend the release phase, then: {RETRY}"),
    "release_replaced": (OPERATOR, f"Find out who deployed, then: {RETRY}"),
    # deployed
    "reading": (NOBODY, ITSELF),
    "wrong_version": (OPERATOR, f"Find out what the app serves, then: {RETRY}"),
    "silent_api": (OPERATOR, f"See the app's log, then: {RETRY}"),
    "wrong_answers": (AUTHOR, f"Find out why it predicts otherwise there. {ANOTHER}"),
    # rolling back
    "rolled_back": (AUTHOR, ANOTHER),
    "nothing_to_roll_back_to": (OPERATOR, "Deploy what should run by hand."),
    "rollback_failed": (OPERATOR, "Deploy the last verified commit by hand."),
    "not_eligible": (OPERATOR, "Deploy the last verified commit by hand."),
    "rollback_by_hand": (OPERATOR, "Roll back by hand."),
    "release_expired": (OPERATOR, RETRY),
    "taken_over": (OPERATOR, f"Find out who deployed, then: {RETRY}"),
    "overtaken": (NOBODY, f"Nothing, as things are; to have it after all: {RETRY}"),
    "putting_back": (NOBODY, ITSELF),
    "rebuilding": (HEROKU, "It goes on when the build ends."),
    "rebuild_failed": (OPERATOR, "Deploy the last verified commit by hand."),
    "rolled_back_anew": (AUTHOR, ANOTHER),
    "rollback_unproven": (OPERATOR, "See the app's log, and deploy by hand what should run."),
    "undone_by_hand": (AUTHOR, ANOTHER),
    # after the end
    "contradicts_later": (OPERATOR, "Find out what the app serves, and roll back if need be."),
    "replaced_by_hand": (OPERATOR, "Deploy this version again, or change the pin on the branch."),
    "reverting": (REVIEWER, "Merge the pull request that puts the pin back."),
    "gate_of_revert": (REVIEWER, "Merge the pull request that puts the pin back."),
    "revert_by_hand": (OWNER, "Put the pin on the branch back by hand."),
    "revert_held": (
        OPERATOR,
        "Lift the quarantine of what runs again, or publish another version.",
    ),
    "revert_fails": (OWNER, "Mend what it says, or put the pin on the branch back by hand."),
    "guard_fails": (OPERATOR, "Mend what it says, and see what the app serves."),
    "revert_declined": (OWNER, "Put the pin on the branch back by hand."),
    # anywhere
    "quarantined": (OPERATOR, "bridge release-quarantine {package} {version} --reason TEXT"),
    "approvals_missing": (REVIEWER, "Approve the pull request at its head, on GitHub."),
    "approver_wants_changes": (REVIEWER, "Approve it after all, or close the pull request."),
    "maker_unknown": (
        AUTHOR,
        "Announce it with a commit of this repository, by an address that GitHub knows.",
    ),
    "paused": (OPERATOR, "bridge resume [PIPELINE] --reason TEXT"),
    "deployments_hidden": (
        OPERATOR,
        "Give the token the permission that docs/permissions.md names.",
    ),
    "heroku_refused": (OPERATOR, f"Mend what Heroku says, then: {RETRY}"),
    "no_pipeline": (OPERATOR, "Put the pipeline back into bridge.toml."),
    "superseded": (NOBODY, f"Nothing, as things are; to have it after all: {RETRY}"),
    "unavailable": (NOBODY, ITSELF),
    "looking_again": (NOBODY, ITSELF),
    "hiccup": (NOBODY, ITSELF),
    "parked": (OPERATOR, "See the log; the bridge looks again by itself, once an hour."),
}


@dataclass(frozen=True)
class Unblock:
    """Whom a release waits for, and what would let it go on."""

    who: str
    what: str


def unblock(reason: Reason, package: str, version: str) -> Unblock | None:
    """What would let a version go on that stands where it stands for `reason`; None where nothing
    holds it up."""
    known = UNBLOCKS.get(reason.code)
    if known is None:
        return None
    who, what = known
    return Unblock(who, what.format(package=package, version=version))
