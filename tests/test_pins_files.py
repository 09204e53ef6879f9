"""Pins in several files: the one that is deployed, what it takes, and what stands beside it."""

import pytest

from bridge.errors import Refused
from bridge.pins import bump_in, find_in
from tests.pins_kit import NAME, NEW, OLD, H

MAIN, BASE, LOOSE = "api/requirements.txt", "api/base.txt", "api/requirements.in"
PINNED, MOVED = f"{NAME}==1.0 {H}\n", f"{NAME}==2.0 --hash={NEW}\n"
BARE, BARE_MOVED = f"{NAME}==1.0\n", f"{NAME}==2.0\n"


def bumped(files: dict[str, str]) -> dict[str, str]:
    return bump_in(files, MAIN, NAME, "2.0", [NEW]).files


def refusal(files: dict[str, str]) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        bump_in(files, MAIN, NAME, "2.0", [NEW])
    return caught.value.reason.code, caught.value.reason.sentence


def test_a_pin_is_moved_in_the_nested_file_where_it_stands() -> None:
    files = {MAIN: f"-r base.txt\nfastapi==1 {H}\n", BASE: PINNED}
    assert {BASE: MOVED} == bumped(files)
    found = find_in(files, MAIN, NAME)
    assert (BASE, 1, "1.0", (OLD,)) == (found.path, found.number, found.version, found.hashes)


@pytest.mark.parametrize(
    "takes",
    [
        "-r base.txt",
        "-rbase.txt",
        "--requirement base.txt",
        "--requirement=base.txt",
        "-r ../api/base.txt",
        "-r ./base.txt  # the rest",
        "-r 'base.txt'",
        "-c base.txt",
        "--constraint=base.txt",
    ],
)
def test_a_nested_file_is_found_however_it_is_written(takes: str) -> None:
    assert {BASE: MOVED} == bumped({MAIN: f"{NAME}\n{takes}\n", BASE: PINNED})


def test_a_file_is_found_beside_the_one_that_takes_it() -> None:
    files = {MAIN: "-r more/base.txt\n", "api/more/base.txt": "-c ../base.txt\n", BASE: PINNED}
    assert {BASE: MOVED} == bumped(files)


def test_a_constraint_and_the_requirement_are_moved_together() -> None:
    files = {MAIN: f"-c base.txt\n{PINNED}", BASE: BARE}
    assert {MAIN: f"-c base.txt\n{MOVED}", BASE: MOVED} == bumped(files)
    assert MAIN == find_in(files, MAIN, NAME).path


def test_a_hash_anywhere_in_what_is_installed_asks_for_the_hash_of_the_pin() -> None:
    files = {MAIN: f"-r base.txt\nfastapi==1 {H}\n", BASE: BARE}
    assert {BASE: MOVED} == bumped(files)


def test_a_demand_for_hashes_is_met() -> None:
    assert {BASE: MOVED} == bumped({MAIN: "--require-hashes\n-r base.txt\n", BASE: BARE})


def test_source_and_compiled_file_are_moved_together_the_compiled_one_with_hashes() -> None:
    files = {MAIN: PINNED, LOOSE: f"fastapi>=0.1\n{BARE}"}
    assert {MAIN: MOVED, LOOSE: f"fastapi>=0.1\n{BARE_MOVED}"} == bumped(files)


def test_a_pyproject_and_the_file_compiled_from_it_are_moved_together() -> None:
    source = f'[project]\nname = "api"\nversion = "1"\ndependencies = ["{NAME}==1.0"]\n'
    files = {MAIN: PINNED, "pyproject.toml": source}
    assert {MAIN: MOVED, "pyproject.toml": source.replace("==1.0", "==2.0")} == bumped(files)


@pytest.mark.parametrize("said", [NAME, f"{NAME}>=1.0,<3", f"{NAME}==2.*", "fastapi>=0.1"])
def test_a_source_that_allows_the_version_stays_as_it_is(said: str) -> None:
    assert {MAIN: MOVED} == bumped({MAIN: PINNED, LOOSE: f"{said}\n"})


@pytest.mark.parametrize("said", [f"{NAME}<2", f"{NAME}==1.*", f"{NAME}~=1.0", f"{NAME}===1.0"])
def test_a_source_that_does_not_allow_the_version_is_refused(said: str) -> None:
    code, sentence = refusal({MAIN: PINNED, LOOSE: f"fastapi\n{said}\n"})
    assert "excluded" == code
    assert f"Line 2 of {LOOSE}" in sentence


def test_a_second_bump_changes_nothing() -> None:
    files = {MAIN: f"-c base.txt\n{PINNED}", BASE: BARE, LOOSE: BARE}
    once = bump_in(files, MAIN, NAME, "2.0", [NEW])
    assert {} == bump_in({**files, **once.files}, MAIN, NAME, "2.0", [NEW]).files
    assert ("1.0", "2.0") == (once.before.version, once.after.version)


@pytest.mark.parametrize("taken", ["other.txt", "https://x.test/r.txt", "${FILE}", "/etc/r.txt"])
def test_a_pin_in_a_file_that_is_not_allowed_is_refused(taken: str) -> None:
    code, sentence = refusal({MAIN: f"fastapi==1\n-r {taken}\n"})
    assert "pin_elsewhere" == code
    assert f"line 2 of {MAIN} takes {taken}" in sentence


def test_a_file_that_is_allowed_but_not_installed_is_no_place_for_the_pin() -> None:
    assert "no_pin" == refusal({MAIN: "fastapi==1\n", BASE: PINNED})[0]


def test_only_the_first_file_of_a_line_is_taken_as_by_pip() -> None:
    assert (
        "no_pin"
        == refusal({MAIN: "-r empty.txt -c base.txt\n", "api/empty.txt": "", BASE: PINNED})[0]
    )


@pytest.mark.parametrize("back", ["-r requirements.txt", "-c requirements.txt", "-r base.txt"])
def test_a_file_that_takes_itself_is_refused(back: str) -> None:
    code, sentence = refusal({MAIN: "-r base.txt\n", BASE: f"{PINNED}{back}\n"})
    assert "takes_itself" == code
    assert f"Line 2 of {BASE}" in sentence


def test_the_package_demanded_in_two_files_is_refused() -> None:
    code, sentence = refusal({MAIN: f"-r base.txt\n{PINNED}", BASE: PINNED})
    assert "pinned_twice" == code
    assert f"line 1 of {BASE}" in sentence


def test_two_ways_to_one_file_are_no_second_pin() -> None:
    files = {MAIN: "-r a.txt\n-r base.txt\n", "api/a.txt": "-r base.txt\n", BASE: PINNED}
    assert {BASE: MOVED} == bumped(files)


def test_a_refusal_names_the_nested_file_and_its_line() -> None:
    code, sentence = refusal({MAIN: "-r base.txt\n", BASE: f"a==1\n{NAME}>=1\n"})
    assert "not_an_exact_pin" == code
    assert f"Line 2 of {BASE}" in sentence


def test_every_file_must_be_readable() -> None:
    assert "unreadable_line" == refusal({MAIN: PINNED, LOOSE: "4 + 4 = 2\n"})[0]
    assert "unknown_kind" == refusal({MAIN: PINNED, "setup.py": "setup()\n"})[0]
