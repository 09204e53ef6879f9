"""Pins in a pyproject.toml: one string changes, and no other byte."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Refused
from bridge.pins import bump, find
from tests.pins_kit import NAME, NEW

PATH = "api/pyproject.toml"
OTHER = f"""\
# {NAME}==1.0 is what we had
[build-system]
requires = ["hatchling>=1", "{NAME}==1.0"]

[tool.elsewhere]
dependencies = ["{NAME}==1.0"]
note = '''
dependencies = ["{NAME}==1.0"]
'''
ratio = nan
"""
GOOD = {
    "plain": f'[project]\ndependencies = ["{NAME}==1.0"]\n',
    "single quotes": f"[project]\ndependencies = ['{NAME} == 1.0']\n",
    "extras and marker": f"""[project]\ndependencies = ["{NAME}[x]==1.0 ; os_name == 'posix'"]\n""",
    "one a line": f'[project]\ndependencies = [\n  "a==1",  # one\n  "{NAME}==1.0",\n]\n',
    "optional": '[project.optional-dependencies]\nmodel = ["Regression_Model==1.0"]\n',
    "group": f'[dependency-groups]\na = ["{NAME}==1.0", {{include-group = "b"}}]\nb = ["x==1"]\n',
    "quoted key": f'[project]\n"dependencies" = ["{NAME}==1.0"]\n',
    "dotted": f'project.dependencies = ["{NAME}==1.0"]\n',
    "inline": f'project = {{dependencies = ["{NAME}==1.0"]}}\n',
    "three quotes": f'[project]\ndependencies = ["""{NAME}==1.0"""]\n',
    "windows": f'[project]\r\ndependencies = [\r\n  "{NAME}==1.0",\r\n]\r\n',
    "no last newline": f'[project]\ndependencies = ["{NAME}==1.0"]',
    "a hash sign in a string": f'[project]\nname = "a # \\" b"\ndependencies = ["{NAME}==1.0"]\n',
}
BAD = {
    "bare": (f'[project]\ndependencies = [\n"{NAME}"]\n', "not_an_exact_pin"),
    "range": (f'[project]\ndependencies = [\n"{NAME}>=1,<2"]\n', "not_an_exact_pin"),
    "wildcard": (f'[project]\ndependencies = [\n"{NAME}==1.*"]\n', "not_an_exact_pin"),
    "arbitrary": (f'[project]\ndependencies = [\n"{NAME}===1.0"]\n', "not_an_exact_pin"),
    "url": (f'[project]\ndependencies = [\n"{NAME} @ https://x.test/a.whl"]\n', "pin_is_a_url"),
    "unreadable": (f'[project]\ndependencies = [\n"{NAME}==1.0#x"]\n', "unreadable_line"),
    "twice": (f'[project]\ndependencies = ["{NAME}==1",\n"{NAME}==1"]\n', "pinned_twice"),
    "escaped": (f'[project]\ndependencies = [\n"{NAME}=\\u003d1.0"]\n', "not_an_exact_pin"),
}
NONE = {
    "empty": ("", "no_pin"),
    "elsewhere only": (OTHER, "no_pin"),
    "poetry": ('[tool.poetry.dependencies]\nregression-model = "1.0"\n', "no_pin"),
    "odd shapes": ('project = 1\ndependency-groups = ["x"]\n', "no_pin"),
    "odd entries": ("[project]\ndependencies = [1, {}, []]\n", "no_pin"),
    "broken": ("[project\n", "not_toml"),
    "byte order mark": ("\ufeff[project]\n", "not_toml"),
    "deep": ("a = " + "[" * 9000, "not_toml"),
}


@pytest.mark.parametrize("around", ["", OTHER])
@pytest.mark.parametrize("case", GOOD)
def test_only_the_version_changes(case: str, around: str) -> None:
    text = GOOD[case] + ("\n" + around if not case.startswith(("dotted", "inline")) else around)
    at = len(GOOD[case]) - len(GOOD[case].partition("1.0")[1] + GOOD[case].partition("1.0")[2])
    expected = text[:at] + "2.0.1" + text[at + 3 :]
    assert expected == bump(text, NAME, "2.0.1", [NEW], PATH)
    assert expected == bump(expected, NAME, "2.0.1", [NEW], PATH)
    assert find(text, NAME, PATH).number == text[:at].count("\n") + 1


@pytest.mark.parametrize("case", [*BAD, *NONE])
def test_what_must_not_be_guessed_is_refused_with_its_place(case: str) -> None:
    text, code = (BAD | NONE)[case]
    with pytest.raises(Refused) as refusal:
        bump(text, NAME, "2.0.1", [NEW], PATH)
    assert code == refusal.value.reason.code
    assert PATH in refusal.value.reason.sentence
    lines = text.count("\n", 0, text.rindex(f'"{NAME}')) + 1 if case in BAD else 0
    assert not lines or f"ine {lines} of {PATH}" in refusal.value.reason.sentence


words = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)
strings = st.one_of(
    st.sampled_from([f"{NAME}==1.0", "a==1", f"{NAME}-x==1.0", f'"{NAME}==1.0"']), words
)


def basic(said: str) -> str:
    """A TOML string of anything."""
    escaped = said.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


@given(
    st.lists(strings, max_size=4), st.lists(strings, max_size=3), st.sampled_from(["\n", "\r\n"])
)
def test_the_pin_is_found_among_strings_of_anything(
    before: list[str], elsewhere: list[str], end: str
) -> None:
    others = [one for one in before if not one.strip().startswith(NAME)]
    array = ", ".join(map(basic, [*others, f"{NAME}==1.0"]))
    head = (
        f"[tool.x]{end}x = [{', '.join(map(basic, elsewhere))}]{end}[project]{end}dependencies = ["
    )
    text = f"{head}{array}]{end}# {NAME}==1.0"
    bumped = bump(text, NAME, "2.0", [NEW], PATH)
    at = len(head) + len(array) - 4
    assert text[:at] + "2.0" + text[at + 3 :] == bumped
    assert tomllib.loads(bumped)["tool"] == tomllib.loads(text)["tool"]


@given(st.text(), words)
def test_any_document_is_read_or_refused(noise: str, said: str) -> None:
    for text in (noise, f"[project]\ndependencies = [{basic(said)}]\n{noise}"):
        try:
            bumped = bump(text, NAME, "2.0", [NEW], PATH)
        except Refused:
            continue
        assert find(bumped, NAME, PATH).is_at("2.0")
