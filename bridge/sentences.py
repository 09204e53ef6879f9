"""Every sentence that the bridge says to a person, by its stable code.

A code is for programs and never changes its meaning; the sentence may be said better.
"""

from bridge.errors import Reason
from bridge.sentences_cli import CLI
from bridge.sentences_pages import PAGES
from bridge.sentences_people import PEOPLE
from bridge.sentences_serving import SERVING
from bridge.sentences_told import TOLD

SENTENCES: dict[str, str] = {
    # announced
    "announced": "{package} {version} was announced by {by}; the index will be asked for it.",
    "prerelease": "{package} {version} is a pre-release; those are not carried to production "
    "unless a person allows it: bridge retry {package} {version} --allow prerelease",
    "local_version": "{package} {version} is a local version, built for one machine; a person may "
    "allow it: bridge retry {package} {version} --allow local",
    "downgrade": "{package} {version} is older than {served}, which is verified; a person may go "
    "back: bridge retry {package} {version} --allow downgrade",
    "late_digest": "{package} {version} was announced again by {by} with the digest {told}, but "
    "{digest} was carried. Find out who uploaded what.",
    "waiting_for_index": "{file} is not on the index yet; asked since {since}, until {until}.",
    "confirmed": "{file} lies on the index with the digest {digest}{as_announced}.{notes}",
    "archived": "The index calls the project {status}: {why}.",
    "commands": "It installs the command {names}.",
    "public_unknown": "The public index was not looked at: BRIDGE_PUBLIC_INDEX is not set.",
    "public_free": "The public index has nothing of this name that an installer would prefer.",
    "public_twin": "The public index has {package} {twin}, which is not ours: an installer without "
    "hashes would prefer it to {version}. Keep the pin hashed, and rename the package.",
    "index_quarantine": "The index has put {package} into quarantine: {why}.",
    "not_on_index": "{package} {version} did not appear on the index within {within}. Upload it, "
    "then retry.",
    "digest_mismatch": "The {where} has {found}, but {expected} was {told}. This is not the file "
    "that was built; nothing was proposed.",
    "no_wheel": "{package} {version} is on the index, but not as a wheel. Upload a wheel.",
    "two_wheels": "{package} {version} has {count} wheels and nobody said which one was built.",
    "yanked": "{package} {version} was yanked from the index ({why}); a person may allow it: "
    "bridge retry {package} {version} --allow yanked",
    "replaced": "{file} was replaced on the index: {found} is there now, {expected} was confirmed. "
    "Find out who uploaded what, and release another version.",
    "gone": "{file} is not on the index any more, so no build can install it.",
    "bad_wheel": "{file} was refused: {why}.",
    "startup_hook": "{file} was refused: {name} would run code at every start of Python.",
    # who built it
    "attested": "{identity} vouches for the wheel with the digest {digest}.",
    "not_attested": "Nobody attested who built {package} {version}.",
    "nobody_trusted": "{package} {version} was attested, but the pipeline trusts nobody for that.",
    "attestation_unchecked": "Whether the attestation of {package} {version} holds is not known "
    "yet: {why}.",
    "bad_attestation": "The attestation of {package} {version} does not hold ({why}).",
    "waiting_for_attestation": "{package} {version} is on the index, but nobody has attested who "
    "built it; waiting since {since}, until {until}.",
    "no_attestation": "{package} {version} was not attested within {within}, and this pipeline "
    "requires it. Announce it with an attestation, then retry.",
    # confirmed
    "proposed": "Pull request #{number} moves {package} from {old} to {version}.",
    "adopted": "Pull request #{number} for {package} {version} was there already.",
    "already_pinned": "{branch} pins {package} {version} already; no pull request is needed.",
    "no_requirements_file": "{path} is not on {branch}, or it is no plain file of UTF-8 text.",
    "pin_without_hash": "Line {line} of {path} pins {package} without a hash, so an installer may "
    "take another file than the one that CI built. Compile the file with hashes (uv pip compile "
    "--generate-hashes).",
    "newer_goes_first": "{by} is confirmed, too, and goes before {version}.",
    "replaces_soon": "The open pull request of an older version is new; {version} takes its place "
    "at {at}, unless it is merged before.",
    "branch_in_use": "The branch {branch} holds something that the bridge did not write. Look at "
    "it, and delete it.",
    "no_pin": "{package} is not pinned in {path}. Add a line {package}==VERSION.",
    "pin_elsewhere": "{package} is not pinned in {main}, and line {line} of {path} takes {taken}, "
    "which is not among the files that may be changed. Name it under `also`, if the pin is there.",
    "pinned_twice": "{package} is named a second time in line {line} of {path}; remove one of the "
    "two.",
    "pin_is_a_url": "Line {line} of {path} takes {package} from a URL or a folder; pin it by "
    "version.",
    "not_an_exact_pin": "Line {line} of {path} is not an exact pin of {package} ({why}): {found}",
    "no_digest": "Line {line} of {path} stands among hashes; {package} needs the hash of the new "
    "version, too.",
    "bumped": "{path}, line {line}: {package} {old} → {version}.",
    "bumped_already": "{path}, line {line}: {package} is at {version} already.",
    "excluded": "Line {line} of {path} does not allow {package} {version}: {found}",
    "unreadable_line": "Line {line} of {path} cannot be read by pip: {found}",
    "takes_itself": "Line {line} of {path} takes {taken}, which is being read already; pip "
    "refuses that.",
    "not_toml": "{path} is not a TOML document: {why}",
    "not_text": "{path} is not text in UTF-8.",
    "unknown_kind": "{path} is neither a requirements file (.txt, .in) nor a pyproject.toml.",
    "foreign_package": "{package} {twin} on the public index is not ours, and an installer would "
    "take it for {version}, because the pin has no hash. Compile the file with hashes (uv pip "
    "compile --generate-hashes).",
    "does_not_resolve": "{package} {version} cannot be installed with {path} on Python {python}: "
    "{why}",
    "not_resolvable": "{path} cannot be resolved before it is proposed: {why}. Mend it, or let the "
    "pipeline's policy say resolve = false.",
    "too_big": "The wheels of {path} with {package} {version} are {size} MB; Heroku takes {limit} "
    "MB, compressed as they are.",
    "no_source": "{package} {version} needs other versions than {path} pins, and there is no "
    "{source} on {branch} to compile it from: {why}",
    # the gate
    "model_better": "Better than {old}: {changes}.",
    "model_worse": "Worse than {old}, though no gate forbids it: {changes}.",
    "model_mixed": "Partly worse, partly better than {old}: {changes}.",
    "model_same": "As good as {old}: {changes}.",
    "model_unknown": "Nobody can say how good it is: {why}.",
    "metric_missing": "{metric} is not on the model card",
    "metric_was_missing": "{metric} of {version}, verified last, is not known",
    "metric_too_low": "{metric} is {new}, and must be at least {bound}",
    "metric_too_high": "{metric} is {new}, and must be at most {bound}",
    "metric_grew": "{metric} grew {by} ({old} to {new}), and may grow by {allowed}",
    "metric_shrank": "{metric} fell {by} ({old} to {new}), and may shrink by {allowed}",
    "gate_passed": "{metric} is {new}, as its gate asks",
    "gate_broken": "Gate broken: {why}{more}. Publish a better version, or change the gate in "
    "bridge.toml.",
    "gate_not_judged": "Gate not passed: {why}{more}. Publish a version whose card says it, or "
    "change the gate in bridge.toml.",
    "frozen": "Nothing is merged before {until}: a freeze holds.",
    "merged_against_gate": "{what} by {by} although bridge/gate did not allow it, so it is not "
    "deployed: {why} Once the gate allows it, the deployment goes on; or revert the merge.",
    "merge_reverted": "{branch} does not pin {file} any more: the merge that the gate did not "
    "allow was reverted, and nothing was deployed.",
    "pin_changed": "The branch of pull request #{number} does not pin {file} with its digest "
    "alone.",
    # proposed
    "waiting_for_reviewer": "Pull request #{number} waits for a person to merge it.",
    "waiting_for_checks": "Pull request #{number} waits for its checks ({state}).",
    "checks_failed": "A check of pull request #{number} failed ({state}). Mend it, or close the "
    "pull request.",
    "changes_requested": "A reviewer of pull request #{number} asked for changes. Settle it there, "
    "or close the pull request.",
    "draft": "Pull request #{number} was made a draft. Mark it as ready for review to go on.",
    "blocked": "The rules of the branch do not let pull request #{number} be merged: it lacks a "
    "review or a check. Give it, or allow auto-merge in the repository's settings.",
    "merges_later": "GitHub merges pull request #{number} by itself as soon as the rules of the "
    "branch allow it: it lacks a review or a check.",
    "in_merge_queue": "Pull request #{number} is in the merge queue.",
    "somebody_pushed": "Somebody pushed to the branch of pull request #{number}; the bridge will "
    "not merge what it did not write.",
    "rewritten": "Pull request #{number} conflicted with {branch} and was written anew on it.",
    "pull_request_gone": "Pull request #{number} is not to be found on GitHub any more.",
    "merged": "Pull request #{number} was merged by {by} as {sha}.",
    "declined": "Pull request #{number} was closed by a person without merging.",
    # merged
    "building": "Heroku is building {sha}.",
    "app_is_busy": "Heroku is building something else for {app}; this build waits for its end.",
    "waiting_for_deploy": "Waiting for somebody else to deploy {sha} to {app}.",
    "waiting_for_release": "The build of {sha} succeeded; its Heroku release is {status}.",
    "serving_already": "{app} serves {version} already, as v{release}; nothing needs to be built.",
    "deployed": "Heroku release v{release} of {app} runs {sha}.",
    "build_failed": "Heroku could not build {sha}: {why}",
    "no_app_root": "The repository has no folder {path} at the merge commit.",
    "release_failed": "Heroku release v{release} of {app} failed in its release phase, so {app} "
    "still runs {still}: {tail}",
    "release_expired": "Heroku has thrown away what v{release} of {app} ran, as it does after 30 "
    "days. Have the version tried again, so that it is built anew.",
    "taken_over": "{who} put v{current} ({what}) in place of v{release} of {app} before {version} "
    "was verified. The bridge leaves it so; to go on: bridge retry {package} {version}",
    "deployed_before": "Heroku release v{release} of {app} runs {sha}; {who} made v{current} after "
    "it ({what}), with the same code.",
    "deployed_with": "Heroku release v{release} of {app} runs {commit}, which contains {sha}.",
    "overtaken": "{package} {by} was merged after {version} and is deployed in its place.",
    "release_replaced": "Heroku release v{current} took the place of v{release} before it was "
    "verified.",
    # deployed
    "reading": "{count} of {wanted} readings in a row match; the last one {verdict}{note}.",
    "verified": "The running API reports {version} with {model}, {count} times in a row{spread}"
    "{answers}.",
    "wrong_version": "After {within} the running API still contradicts: {found}.",
    "silent_api": "The running API gave no clear answer within {within}: {note}.",
    "wrong_answers": "The running API reports {version}, but its predictions are not the model's. "
    "{note}",
    "wrong_answer": "It predicts {found} where the model answered {expected} at training time.",
    # rolling back
    "rolled_back": "{app} runs {version} again, as v{release}{undone}: {because}",
    "nothing_to_roll_back_to": "No version was verified before and is not in quarantine, so none "
    "can be put back: {because}",
    "rollback_failed": "Heroku's v{release}, which was to put {version} of {app} back, failed: "
    "{because}",
    "not_eligible": "Heroku cannot put v{release} back any more; deploy that commit by hand: "
    "{because}",
    "rollback_by_hand": "The policy leaves rolling back to a person: {because}",
    # a delivery and a person
    "replayed": "{who} had delivery {id} handled again: {why}",
    "discarded": "{who} discarded delivery {id}: {why}",
    "no_delivery": "There is no delivery {id}. `bridge deliveries` lists what is.",
    "no_replay": "Delivery {id} is {state}; only one that is parked, ignored or discarded can be "
    "handled again.",
    "retried": "{who} had {package} {version} tried again{allowing}: {why}",
    "no_release": "There is no release of {package} {version}. `bridge releases` lists what is.",
    "no_retry": "{package} {version} is {stage}; only one that failed, was superseded or was "
    "rolled back can be tried again.",
    "no_discard": "Delivery {id} is {state}; only one that is parked or new can be discarded.",
    "drift_not_on_index": "The branch pins {pinned}, but the newest on the index is {newest}.",
    "drift_not_pinned": "{newest} is on the index, the branch pins {pinned}, and no release is to "
    "change that.",
    "drift_not_deployed": "The branch pins {pinned}, but Heroku runs {deployed}; somebody deployed "
    "or rolled back by hand.",
    "drift_not_serving": "Heroku runs {deployed}, but the API reports {serving}.",
    "approvals_missing": "{have} of {count} approvals on GitHub; missing from {who}.{own}",
    "approver_wants_changes": "{who}, who may approve it, asked for changes.",
    "maker_unknown": "GitHub does not know everybody who made this version, so nobody can say that "
    "none approved their own.",
    "allowed": "{who} lets {package} {version} through ({what}): {why}",
    "paused": "{what} was paused by {who}: {why}. Nothing is proposed, merged or built meanwhile.",
    "resumed": "{what} goes on, says {who}: {why}",
    "paused_already": "{what} is paused already, by {who}: {why}",
    "not_paused": "{what} is not paused.",
    "no_such_pipeline": "There is no pipeline {name}; bridge.toml has {names}.",
    # what came, and what never did
    "every_version_announced": "Every version was announced ({came} so far).",
    "some_versions_unannounced": "{lost} of {total} versions came unannounced.",
    "no_version_announced": "No version was ever announced, and the sweep found {lost} of them by "
    "itself. Does the publish step run `bridge announce`, or is CircleCI's webhook set up?",
    "no_delivery_lost": "No {who} delivery is known to be lost; {came} came.",
    "some_deliveries_lost": "{lost} of {total} {who} deliveries never came.",
    "every_delivery_lost": "{who} has told the bridge nothing, and the sweep found {lost} of its "
    "changes by itself. Is its webhook set up?",
    # credentials
    "classic_token": "BRIDGE_GITHUB__TOKEN is a classic token, which opens every repository of its "
    "owner. Make a fine-grained one for this repository alone; docs/permissions.md says how.",
    "app_not_installed": "The App is not installed on {repository}. Install it at {where}.",
    "app_not_known": "GitHub does not accept the App's proof. Check BRIDGE_GITHUB__APP_ID and "
    "__PRIVATE_KEY, and this machine's clock.",
    "app_may_not": "GitHub gives the App no token for {repository}: it is suspended there, or it "
    "lacks one of {permissions}. See {where}.",
    # anywhere
    "announcement_refused": "The bridge answered {status}. 401: the secret is another one than the "
    "bridge's; 404: the bridge has no secret for publishers.",
    "heroku_refused": "Heroku refused: {message}",
    "no_pipeline": "bridge.toml has no pipeline {name} any more. Put it back to go on.",
    "superseded": "{package} {by} is newer and took its place.",
    "unavailable": "{who}; the bridge asks again at {at}.",
    "looking_again": "Something moved meanwhile ({what}); looking again.",
    "hiccup": "This step failed ({what}); the bridge tries again at {at}.",
    "parked": "This step failed {attempts} times ({what}). See the log; the bridge looks again in "
    "an hour.",
    "unheard_upload": "No webhook announced this version; the sweep found it on the index.",
    "changed_on_index": "The sweep saw that the index does not show the file as it was confirmed.",
    "unheard_github": "GitHub's webhook never came; the sweep saw that the pull request changed.",
    "unheard_heroku": "Heroku's webhook never came; the sweep saw that a build or release changed.",
    "broken_record": "The record does not hold: {what}. The bridge appends nothing to it. See "
    "`bridge audit verify`, and put the last good copy of the database back.",
    "intent_branch": "About to create {branch} with the pin of {package} {version}.",
    "intent_status": "About to tell pull request #{number} that bridge/gate is {state}: {why}",
    "intent_ask": "About to label pull request #{number} and to ask for reviews: {what}.",
    "intent_merge": "About to merge pull request #{number} at {sha}.",
    "intent_rewrite": "About to write pull request #{number} anew on {branch} at {sha}.",
    "intent_merge_later": "About to have GitHub merge pull request #{number} at {sha} as soon as "
    "the rules of the branch allow it.",
    "intent_hold": "About to tell GitHub not to merge pull request #{number} by itself.",
    "intent_enqueue": "About to put pull request #{number} at {sha} into the merge queue.",
    "intent_close": "About to close pull request #{number} for {package} {version}: {why}",
    "intent_delete": "About to delete the branch of pull request #{number}, which is merged.",
    "intent_build": "About to build {sha} for {app}, source {digest}.",
    "intent_cancel": "About to cancel the build of {sha} for {app}: {by} takes its place.",
    "intent_rollback": "About to roll {app} back to v{release}.",
    "intent_deployment": "About to show at GitHub that the deployment of {sha} to {app} is "
    "{state}.",
    "intent_answer": "About to answer the commit {commit}, which was trained, with {state}.",
    # shown at GitHub
    "on_its_way": "{version} is on its way to {app}.",
    "answered": "{version} is verified in {app}, {waited} after {after}.",
    "not_there": "{version} does not run in {app} ({why}); the release page tells more.",
    "deployments_hidden": "The token may not write deployments of {repository}, so GitHub's pages "
    "do not show them. Give it the permission that docs/permissions.md names.",
    **TOLD,
    **SERVING,
    **PAGES,
    **PEOPLE,
    **CLI,
}


def say(code: str, **words: object) -> Reason:
    """The reason of this code. An unknown code or a missing word is a bug: KeyError.

    PostgreSQL cannot keep the character NUL, which a neighbour's words may hold.
    """
    return Reason(code, SENTENCES[code].format(**words).replace("\0", "\N{REPLACEMENT CHARACTER}"))


def short(sha: str) -> str:
    """A commit, or a `sha256:` digest, as people write it."""
    scheme, colon, digits = sha.rpartition(":")
    return f"{scheme}{colon}{digits[:8]}"


def capped(text: str, length: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def span(seconds: float) -> str:
    """A duration as people say it: `850 ms`, `12 s`, `4 min`, `2 h 5 min`, `3 h`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
