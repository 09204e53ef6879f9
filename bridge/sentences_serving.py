"""What is said of a version that serves, served, or shall not: quarantine, rollback, the guard."""

SERVING: dict[str, str] = {
    # quarantine
    "quarantined": "In quarantine by {by} since {since}{until}: {why} A person lifts it: bridge "
    "release-quarantine",
    "quarantine": "{who} put {package} {version} into quarantine{until}: {why}",
    "quarantine_lifted": "{who} lifted the quarantine of {package} {version}: {why}",
    "held_upstream": "{package} {version} was taken back in the pipeline {before}, which comes "
    "before, so it is in quarantine here: {why}",
    "pin_not_settled": "{package} {version} is rolled back, and its pin is still being put back; "
    "merge or close that pull request first.",
    "not_quarantined": "{package} {version} is not in quarantine.",
    # rolling back
    "rollback_asked": "{who} had {package} {version} rolled back: {why}{left}",
    "not_serving": "{package} {version} does not serve, so there is nothing to roll back.",
    "nothing_before": "No other version than {package} {version} was verified and is not in "
    "quarantine, so none can be put back.",
    "app_in_use": "Another version is on its way to {app}; wait for its end before {package} "
    "{version} is rolled back.",
    "putting_back": "{app} runs {version} again, as v{release}; {count} of {wanted} readings in a "
    "row match, the last one {verdict}.",
    "rebuilding": "Heroku has not kept v{release}; {sha}, which brought {version}, is built anew.",
    "rebuild_failed": "Heroku could not build {sha} anew, which brought {version} ({tail}): "
    "{because}",
    "rolled_back_anew": "{app} runs {version} again, built anew as v{release}, because Heroku had "
    "not kept it: {because}",
    "rollback_unproven": "{app} should run {version} again, as v{release}, but after {within} it "
    "does not prove it ({note}): {because}",
    "intent_rebuild": "About to build {sha} for {app} once more, source {digest}, because Heroku "
    "has not kept it.",
    # watched after the proof
    "contradicts_later": "{version} was verified, but {count} readings since then contradict: "
    "{note}.",
    "replaced_by_hand": "{who} put v{current} of {app} in the place of {version} ({what}), and "
    "{note}; {branch} pins {version}. Deploy {version} again, or change the pin.",
    "undone_by_hand": "{who} put {version} back in the place of v{release}, as v{current} "
    "({what}).",
    "serves_again": "{app} serves {version} again, as v{release}.",
    # the pin, after a rollback
    "reverting": "Pull request #{number} puts the pin back to {version}, which runs again: {why}",
    "revert_by_hand": "Put the pin on {branch} back to {version} by hand, which runs again; the "
    "bridge will not guess: {why}",
    "revert_held": "The pin on {branch} is not put back to {version}, which runs again: {why}",
    "revert_declined": "Pull request #{number}, which puts the pin back to {back}, was closed or "
    "undone: {branch} pins {version}, though it was rolled back.",
    "revert_fails": "The pin of {version}, which was rolled back, could not be put back {attempts} "
    "times. {why} Mend that, or put the pin on the branch back by hand.",
    "guard_fails": "{version} could not be looked after {attempts} times. {why} Mend that, and see "
    "by hand what the app serves.",
    "pin_put_back": "{was} was rolled back, and {branch} pins {version} again: {because}",
    # what serves, now and then
    "served_unproven": "It is not proven that {version} answers: {why}",
    "served_nothing": "No version was known to serve.",
    "served_other": "{version} was proven, but the API reported {serving} when it was looked at "
    "last.",
    "served_unknown": "The API reports {serving}, which no release of the bridge has proven.",
    # the numbers, as dora.dev defines them
    "change_lead_time": "From the tag of a version, or from its announcement where CI did not tell "
    "when it was tagged, to the proof that it serves; the median, to within 5 %.",
    "deployment_frequency": "Versions that came to run in production, a day.",
    "failed_deployment_recovery_time": "From the moment when a "
    "version that ran in production failed, or began to be rolled back, to the next proof of what "
    "serves; the median, to within 5 %.",
    "change_fail_rate": "Versions that ran in production and then failed or were "
    "rolled back, as a share of those that came to run.",
    "deployment_rework_rate": "Versions that were put back, and versions that "
    "came to run while the one before had failed, as a share of all that came to run or were put "
    "back.",
    "gate_of_revert": "It puts back {version}, which was verified and runs already.",
}
