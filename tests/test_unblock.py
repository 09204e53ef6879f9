"""Whatever holds a release up has an answer to "what would let it go on?"."""

import ast
import string

import pytest

from bridge.errors import Reason
from bridge.sentences import SENTENCES
from bridge.sentences_cli import CLI
from bridge.sentences_pages import PAGES
from bridge.sentences_people import PEOPLE
from bridge.unblock import UNBLOCKS, unblock
from tests.test_sentences import modules

HOLDS_NOTHING_UP = {
    # good news
    *("announced", "confirmed", "proposed", "adopted", "already_pinned", "merged", "deployed"),
    *("deployed_before", "deployed_with", "serves_again", "pin_put_back"),
    *("serving_already", "verified", "retried", "attested", "public_free", "gate_passed"),
    # an alarm or a note on the way
    *("late_digest", "archived", "commands", "public_unknown", "public_twin", "wrong_answer"),
    *("unheard_upload", "changed_on_index", "unheard_github", "unheard_heroku"),
    *("drift_not_on_index", "drift_not_pinned", "drift_not_deployed", "drift_not_serving"),
    # how good the model is, and a part of a gate's sentence
    *("model_better", "model_worse", "model_mixed", "model_same", "model_unknown"),
    *("metric_missing", "metric_was_missing", "metric_too_low", "metric_too_high"),
    *("metric_grew", "metric_shrank"),
    # said to whoever typed a command, set the bridge up, or looks after it
    *("bumped", "bumped_already", "replayed", "discarded", "no_delivery", "no_replay"),
    *("no_release", "no_retry", "no_discard", "paused_already"),
    *("not_paused", "no_such_pipeline", "allowed", "resumed"),
    *("announcement_refused", "broken_record", "pin_not_settled", "not_quarantined"),
    *("quarantine", "quarantine_lifted", "rollback_asked", "not_serving", "nothing_before"),
    *("app_in_use", "no_notice", "waits_no_more", "held_upstream"),
    # what somebody outside is told, and what came of telling
    *("tell_verified", "tell_failed", "tell_rolled_back", "tell_waiting", "tell_drift"),
    *("tell_alarm", "tell_parked", "tell_delivery", "tell_test", "told", "not_told"),
    *("no_target", "target_gone", "target_not_known"),
    *("on_its_way", "answered", "not_there"),
    *("classic_token", "app_not_installed", "app_not_known", "app_may_not"),
    *("every_version_announced", "some_versions_unannounced", "no_version_announced"),
    *("no_delivery_lost", "some_deliveries_lost", "every_delivery_lost"),
    # what serves, now and then, and the numbers
    *("served_unproven", "served_nothing", "served_other", "served_unknown"),
    *("change_lead_time", "deployment_frequency", "failed_deployment_recovery_time"),
    *("change_fail_rate", "deployment_rework_rate"),
    # pages, people who sign in, and the command line
    *PAGES,
    *PEOPLE,
    *CLI,
}
BAD_NEWS = {"Refused", "Superseded", "Declined", "Wait", "Ruling"}
TO_WHOEVER_ASKED = (
    "operator.py",
    "pausing.py",
    "recall.py",
    "notify/",
    "cli/",
    "web/",
    "rehearsal/",
    "publisher/",
    "store/",
)


def held_up_by() -> set[str]:
    """Every code that is said within a Refused, a Wait or a Ruling."""
    found = set()
    for name, tree in modules():
        if name.startswith(TO_WHOEVER_ASKED):
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id=kind)) if kind in BAD_NEWS:
                    found |= {code for part in ast.walk(node) if (code := said(part))}
    return found


def said(node: ast.AST) -> str | None:
    match node:
        case ast.Call(func=ast.Name(id="say"), args=[ast.Constant(value=str(code)), *_]):
            return code
    return None


def test_every_code_is_known_to_hold_up_or_not_to() -> None:
    codes = {code for code in SENTENCES if not code.startswith("intent_")}
    assert set() == codes - UNBLOCKS.keys() - HOLDS_NOTHING_UP
    assert set() == UNBLOCKS.keys() & HOLDS_NOTHING_UP
    assert set() == (UNBLOCKS.keys() | HOLDS_NOTHING_UP) - SENTENCES.keys()


def test_what_is_said_to_stop_or_wait_has_a_way_on() -> None:
    found = held_up_by()
    assert len(found) > 40
    assert set() == found - UNBLOCKS.keys()


@pytest.mark.parametrize("code", UNBLOCKS)
def test_a_way_on_names_somebody_and_is_one_sentence_or_command(code: str) -> None:
    way = unblock(Reason(code, ""), "regression-model", "0.1.1")
    assert way is not None
    assert way.who
    assert way.what[0].isupper() or way.what.startswith("bridge ")
    words = {name for _, name, _, _ in string.Formatter().parse(UNBLOCKS[code][1]) if name}
    assert words <= {"package", "version"}
    if "bridge retry" in way.what:
        assert "bridge retry regression-model 0.1.1 " in way.what
        assert way.what.endswith("--reason TEXT")


def test_good_news_waits_for_nobody() -> None:
    assert unblock(Reason("verified", ""), "regression-model", "0.1.1") is None
