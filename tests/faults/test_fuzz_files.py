"""Files that nobody should send: a requirements file of anything, a wheel that lies of itself."""

import json
import struct
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import Refused
from bridge.facts import Facts
from bridge.pins import bump, find
from bridge.wheel import inspect
from tests.faults.fuzz_kit import EXAMPLES, ODD
from tests.pins_kit import NAME, NEW, H
from tests.wheel_cases import CODE, FILE, VERSION, about, made

SOUP = [
    f"{NAME}==1.0",
    "Regression_Model == 1.0",
    f"{NAME}[x]==1.0 ; os_name == 'posix'",
    f"{NAME}>=1",
    f"{NAME}=",
    "==1.0",
    "other==2",
    H,
    "--hash",
    "=",
    " ",
    "\t",
    "\\",
    "\\\n",
    "\\\r\n",
    "\n",
    "\r\n",
    "\r",
    "\f",
    "\v",
    "\x1c",
    "\x85",
    "\u2028",
    "\ufeff",
    "\0",
    " # note",
    "#",
    "-r x.txt",
    "-e .",
    " @ https://x.test/y.whl",
    "${MODEL}",
    "é",
    "\ud800",
]
soups = st.lists(st.sampled_from(SOUP) | st.text(max_size=3), max_size=14).map("".join)


@settings(max_examples=EXAMPLES * 5)
@given(soups, soups)
def test_a_soup_is_bumped_in_one_line_or_refused(before: str, after: str) -> None:
    text = f"{before}\n{NAME}==1.0{after}"
    try:
        bumped = bump(text, NAME, "2.0", [NEW])
    except Refused:
        return
    pin = find(text, NAME)
    assert bumped.startswith(text[: pin.start])
    assert bumped.endswith(text[pin.start + len(pin.raw) :])
    assert find(bumped, NAME).is_at("2.0")


def carded(text: str) -> bytes:
    return made({**CODE, **about(), "regression_model/model_card.json": text.encode()})


@settings(max_examples=EXAMPLES)
@given(st.sampled_from(["commit", "metrics", "features", "data", "known_answers"]), st.data())
def test_a_card_of_anything_can_be_kept_or_is_refused(field: str, data: st.DataObject) -> None:
    odd = data.draw(st.sampled_from([*ODD, '"' + "x" * 99 + '"']))
    shape = {
        "commit": "%s",
        "metrics": '{"rmse": %s}',
        "features": '[{"name": %s, "type": "n"}]',
        "data": '{"source": "s", "rows": %s, "sha256": "d"}',
        "known_answers": '[{"input": {"x": %s}, "output": 1, "tolerance": 0}]',
    }[field]
    start = json.dumps({"name": NAME, "version": VERSION})[:-1]
    try:
        seen = inspect(carded(f'{start}, "{field}": {shape % odd}}}'), FILE, NAME, VERSION)
    except Refused:
        return
    kept = Facts(card=seen.card).model_dump_json(exclude_none=True)
    assert Facts.model_validate_json(kept).card


BIG = 200_000_000


@pytest.mark.parametrize("told", [b"as it is", b"small"])
def test_a_bomb_is_refused_before_it_goes_off(told: bytes) -> None:
    """Also one whose sizes lie: they are what an unpacker trusts."""
    data = made({**CODE, **about(), "regression_model/zeros": b"\0" * BIG})
    if told == b"small":
        data = data.replace(struct.pack("<L", BIG), struct.pack("<L", 100))
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(Refused):
        inspect(data, FILE, NAME, VERSION)
    took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < BIG / 10
    assert took < 5
