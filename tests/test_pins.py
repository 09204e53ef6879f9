"""Pins: the version and its hashes change together, and nothing else does."""

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from bridge.errors import Refused
from bridge.pins import bump, find
from tests.pins_kit import BAD, GOOD, NAME, NASTY, NEW, NEW2, OLD, H, pip_reads, pip_refuses


@pytest.mark.parametrize("case", GOOD)
def test_a_pin_is_found_however_it_is_written(case: str) -> None:
    text, version, hashes, line = GOOD[case]
    pin = find(text, NAME)
    assert (version, hashes, line) == (pin.version, pin.hashes, pin.number)


@pytest.mark.parametrize("case", GOOD)
def test_pip_reads_the_same_pin(case: str) -> None:
    text, version, hashes, _ = GOOD[case]
    read = pip_reads(text)
    assert [(str(Requirement(f"x=={version}").specifier), frozenset(hashes))] == read


@pytest.mark.parametrize("case", GOOD)
def test_a_bump_leaves_every_other_byte_alone(case: str) -> None:
    text, version, hashes, _ = GOOD[case]
    bumped = bump(text, NAME, "2.0.1", [NEW])
    expected = text.replace(version, "2.0.1", 1) if version != "1.0" else None
    expected = expected or re.sub(r"(==[\s\\]*)1\.0(?![\d.])", r"\g<1>2.0.1", text, count=1)
    if hashes:
        start, end = text.index("--hash"), text.rindex(hashes[-1]) + len(hashes[-1])
        expected = expected.replace(text[start:end], f"--hash={NEW}", 1)
    assert expected == bumped


@pytest.mark.parametrize("case", GOOD)
def test_a_bump_is_what_pip_will_install(case: str) -> None:
    text, _, hashes, _ = GOOD[case]
    bumped = bump(text, NAME, "2.0.1", [NEW])
    assert [("==2.0.1", frozenset({NEW} if hashes else set()))] == pip_reads(bumped)


@pytest.mark.parametrize("case", BAD)
def test_what_must_not_be_guessed_is_refused(case: str) -> None:
    text, code = BAD[case]
    with pytest.raises(Refused) as refusal:
        bump(text, NAME, "2.0.1", [NEW])
    assert code == refusal.value.reason.code


@pytest.mark.parametrize("case", [case for case in BAD if BAD[case][1] == "unreadable_line"])
def test_what_we_cannot_read_pip_cannot_read_either(case: str) -> None:
    assert pip_refuses(BAD[case][0])


def test_a_refusal_names_the_line() -> None:
    with pytest.raises(Refused, match="Line 3 "):
        find(f"a==1 \\\n  {H}\n{NAME}>=1\n", NAME)
    with pytest.raises(Refused, match=r"in line 4 of requirements\.txt;"):
        find(f"\n{NAME}==1\n\n{NAME}==2\n", NAME)


@pytest.mark.parametrize("case", NASTY)
def test_a_nasty_pin_is_bumped_rightly_or_refused(case: str) -> None:
    text = NASTY[case]
    hashed = "--hash" in re.sub(r"(^|\s)#.*", "", text, flags=re.MULTILINE)
    try:
        bumped = bump(text, NAME, "2.0.1", [NEW])
    except Refused:
        return
    assert [("==2.0.1", frozenset({NEW} if hashed else set()))] == pip_reads(bumped), bumped
    assert ("b==2" in text) == ("b==2" in bumped)


def test_hashes_are_those_that_pip_reads() -> None:
    assert find(f"{NAME}==1.0  # was {H}\n", NAME).hashes == ()


def test_several_digests_keep_the_layout_of_several_hashes() -> None:
    text = f"{NAME}==1.0 \\\n  {H} \\\n  --hash={OLD}\nb==2 {H}\n"
    expected = f"{NAME}==2.0 \\\n  --hash={NEW} \\\n  --hash={NEW2}\nb==2 {H}\n"
    assert expected == bump(text, NAME, "2.0", [NEW, NEW2])


def test_two_digests_after_one_hash_repeat_its_layout() -> None:
    text = f"{NAME}==1.0 \\\r\n    {H}\r\n"
    expected = f"{NAME}==2.0 \\\r\n    --hash={NEW} \\\r\n    --hash={NEW2}\r\n"
    assert expected == bump(text, NAME, "2.0", [NEW, NEW2])


def test_a_hashless_pin_in_a_hashed_file_gets_its_hash() -> None:
    text = f"a==1 {H}\n{NAME}==1.0 ; os_name == 'posix'  # ours\n"
    expected = f"a==1 {H}\n{NAME}==2.0 ; os_name == 'posix' --hash={NEW}  # ours\n"
    assert expected == bump(text, NAME, "2.0", [NEW])


def test_a_hashed_file_is_not_left_without_the_hash() -> None:
    with pytest.raises(Refused) as refusal:
        bump(f"a==1 {H}\n{NAME}==1.0\n", NAME, "2.0", [])
    assert "no_digest" == refusal.value.reason.code


def test_a_file_without_hashes_stays_without() -> None:
    assert f"a==1\n{NAME}==2.0\n" == bump(f"a==1\n{NAME}==1.0\n", NAME, "2.0", [NEW])


def test_an_option_between_two_hashes_survives() -> None:
    text = f"{NAME}==1.0 {H} --config-settings=a=b --hash={NEW2}\n"
    try:
        assert "--config-settings=a=b" in bump(text, NAME, "2.0", [NEW])
    except Refused:
        return


def test_is_at_compares_versions_not_spellings() -> None:
    assert find(f"{NAME}==v1.0.0\n", NAME).is_at("1.0")
    assert not find(f"{NAME}==1.0\n", NAME).is_at("1.0.post1")


digest = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:".__add__)
version = st.builds(
    "{}.{}.{}{}".format,
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 99),
    st.sampled_from(["", "rc1", ".post2", ".dev3", "a1"]),
)
newline = st.sampled_from(["\n", "\r\n"])
gap = st.sampled_from([" ", "  ", " \\\n    ", " \\\r\n  "])
spelling = st.sampled_from(["regression-model", "Regression_Model", "regression.model"])
other = st.one_of(
    st.sampled_from(
        [
            "",
            "# regression-model==9.9  # not a pin",
            "a==1.0",
            "--extra-index-url ${PIP_EXTRA_INDEX_URL}",
            f"b==2 \\\n    --hash={OLD} \\\n    --hash={NEW2}",
            "regression-model-extra==3",
            'c[x]>=1,<2 ; python_version == "3.11"',
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\"), max_size=20).map(
        lambda text: "# " + " ".join(text.split())
    ),
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, str]:
    """A requirements file: what stands before the pin's line, that line, and what follows it."""
    end = draw(newline)
    hashes = draw(st.lists(digest, max_size=3, unique=True))
    between = draw(gap)
    pin = draw(spelling) + draw(st.sampled_from(["", "[train]"]))
    pin += draw(st.sampled_from(["==", " == "])) + draw(version)
    pin += draw(st.sampled_from(["", ' ; python_version == "3.11"', ";os_name=='posix'"]))
    pin += "".join(f"{between}--hash={one}" for one in hashes)
    pin += draw(st.sampled_from(["", "  # the model", " "]))
    before = "".join(line + end for line in draw(st.lists(other, max_size=4)))
    after = "".join(end + line for line in draw(st.lists(other, max_size=4)))
    return draw(st.sampled_from(["", "\ufeff"])) + before, pin, after


@given(files(), version, st.lists(digest, min_size=1, max_size=3, unique=True))
def test_nothing_outside_the_pins_line_changes(
    parts: tuple[str, str, str], to: str, digests: list[str]
) -> None:
    before, pin, after = parts
    bumped = bump(before + pin + after, NAME, to, digests)
    assert bumped.startswith(before)
    assert bumped.endswith(after)
    line = bumped[len(before) : len(bumped) - len(after)]
    bare = re.compile(r"--hash=\S+|[\s\\]+")
    kept = re.sub(r"==\s*[^\s;#]+", "==", bare.sub(" ", pin), count=1).split()
    assert kept == re.sub(r"==\s*[^\s;#]+", "==", bare.sub(" ", line), count=1).split()


@given(files(), version, st.lists(digest, min_size=1, max_size=3, unique=True))
def test_a_bumped_pin_has_the_new_version_and_exactly_the_new_hashes(
    parts: tuple[str, str, str], to: str, digests: list[str]
) -> None:
    text = "".join(parts)
    found = find(bump(text, NAME, to, digests), NAME)
    assert to == found.version
    assert found.hashes == (tuple(digests) if "--hash=" in text else ())


@given(files(), version, st.lists(digest, min_size=1, max_size=3, unique=True))
def test_a_second_bump_changes_nothing(
    parts: tuple[str, str, str], to: str, digests: list[str]
) -> None:
    once = bump("".join(parts), NAME, to, digests)
    assert once == bump(once, NAME, to, digests)


@settings(max_examples=60)
@given(files(), version, st.lists(digest, min_size=1, max_size=3, unique=True))
def test_pip_reads_what_was_asked_for(
    parts: tuple[str, str, str], to: str, digests: list[str]
) -> None:
    text = "".join(parts)
    hashed = "--hash=" in text
    wanted = [(str(Requirement(f"x=={to}").specifier), frozenset(digests if hashed else []))]
    assert wanted == pip_reads(bump(text, NAME, to, digests))


@given(st.text(), st.text(max_size=8))
def test_any_text_is_read_or_refused(noise: str, tail: str) -> None:
    for text in (noise, f"{noise}\n{NAME}=={tail}\n{noise}", f"{NAME}==1.0{tail}"):
        with contextlib.suppress(Refused):
            assert bump(text, NAME, "2.0", [NEW])


@pytest.mark.parametrize("version", ["9" * 5000, f"1.0+{'9' * 5000}"], ids=["release", "local"])
def test_a_version_that_python_does_not_count_to_is_no_pin(version: str) -> None:
    with pytest.raises(Refused) as refusal:
        bump(f"{NAME}=={version}\n", NAME, "2.0", [NEW])
    assert "unreadable_line" == refusal.value.reason.code
