"""The chain: whole as it was written, broken by any change, and where."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bridge.audit import GENESIS, Line, canonical, link, verify

plain: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcé"), inner, max_size=3),
    max_leaves=6,
)
bodies = st.dictionaries(st.text("abcé", min_size=1), plain, min_size=1, max_size=4)


def chain(*bodies: dict[str, JsonValue]) -> list[Line]:
    lines, head = [], GENESIS
    for seq, body in enumerate(bodies, start=1):
        lines.append(Line(seq, body, head, link(head, body)))
        head = lines[-1].hash
    return lines


def test_the_canonical_form_is_sorted_tight_and_utf8() -> None:
    assert '{"a":["é",1.5,null],"b":true}'.encode() == canonical({"b": True, "a": ["é", 1.5, None]})


def test_a_link_can_be_recomputed_by_anybody_with_sha256() -> None:
    by_hand = hashlib.sha256(b"0" * 64 + b'\n{"a":1}').hexdigest()
    assert by_hand == link(GENESIS, {"a": 1})


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_what_has_no_json_is_not_written(odd: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": odd})


def test_an_empty_chain_holds_at_the_genesis() -> None:
    assert (True, 0, GENESIS) == ((v := verify([])).holds, v.lines, v.head)


@given(st.lists(bodies, max_size=6))
def test_a_chain_holds_also_after_json(bodies: list[dict[str, JsonValue]]) -> None:
    lines = chain(*bodies)
    again = [replace(line, body=json.loads(json.dumps(line.body))) for line in lines]
    verdict = verify(again)
    assert (True, len(lines)) == (verdict.holds, verdict.lines)
    assert (lines[-1].hash if lines else GENESIS) == verdict.head


@given(st.lists(bodies, min_size=1, max_size=6), st.data())
def test_a_changed_line_is_found_where_it_stands(
    bodies: list[dict[str, JsonValue]], data: st.DataObject
) -> None:
    lines = chain(*bodies)
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = replace(lines[at], body={**lines[at].body, "extra": "x"})
    verdict = verify(lines)
    assert (at + 1, "its content was changed", at) == (
        verdict.bad_seq,
        verdict.problem,
        verdict.lines,
    )


@given(st.lists(bodies, min_size=2, max_size=6), st.data())
def test_a_changed_line_with_a_new_hash_breaks_the_next(
    bodies: list[dict[str, JsonValue]], data: st.DataObject
) -> None:
    lines = chain(*bodies)
    at = data.draw(st.integers(0, len(lines) - 2))
    body = {**lines[at].body, "extra": "x"}
    lines[at] = replace(lines[at], body=body, hash=link(lines[at].prev_hash, body))
    assert at + 2 == verify(lines).bad_seq


@given(st.lists(bodies, min_size=2, max_size=6), st.data())
def test_a_line_cannot_be_taken_away_or_moved(
    bodies: list[dict[str, JsonValue]], data: st.DataObject
) -> None:
    lines = chain(*bodies)
    at = data.draw(st.integers(0, len(lines) - 2))
    assert not verify(lines[:at] + lines[at + 1 :]).holds
    swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
    assert not verify(swapped).holds
    assert not verify([*lines, lines[at]]).holds


def test_a_missing_tail_shows_only_in_the_head() -> None:
    lines = chain({"a": 1}, {"a": 2}, {"a": 3})
    verdict = verify(lines[:2])
    assert verdict.holds
    assert lines[2].hash != verdict.head


def test_a_line_that_names_another_place_or_predecessor_is_bad() -> None:
    lines = chain({"a": 1}, {"a": 2}, {"a": 3})
    moved = [lines[0], replace(lines[1], seq=7), lines[2]]
    assert (7, "line 2 is missing") == ((v := verify(moved)).bad_seq, v.problem)
    torn = [lines[0], replace(lines[1], prev_hash=GENESIS), lines[2]]
    assert (2, "it does not follow the line before it") == ((v := verify(torn)).bad_seq, v.problem)
