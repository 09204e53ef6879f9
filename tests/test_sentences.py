"""Sentences: every code that is said exists, every code that exists is said, the words match."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import bridge
from bridge.sentences import SENTENCES, say, short, span

ROOT = Path(bridge.__file__).parent


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        if not path.name.startswith("sentences"):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def said() -> Iterator[tuple[str, ast.Call]]:
    """Every call of `say`, with where it is."""
    for name, tree in modules():
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="say")):
                    yield f"{name}:{node.lineno}", node


def words(code: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(SENTENCES[code]) if name}


CALLS = dict(said())
SPELLED = {where: call for where, call in CALLS.items() if isinstance(call.args[0], ast.Constant)}


def code_of(call: ast.Call) -> str:
    first = call.args[0]
    assert isinstance(first, ast.Constant)
    return str(first.value)


def test_the_bridge_says_something() -> None:
    assert len(SPELLED) > 30


@pytest.mark.parametrize("where", SPELLED)
def test_what_is_said_is_a_sentence_with_its_words(where: str) -> None:
    call = SPELLED[where]
    code = code_of(call)
    assert code in SENTENCES
    given = {word.arg for word in call.keywords if word.arg}
    assert given <= words(code), "a word that the sentence does not have"
    if all(word.arg for word in call.keywords):
        assert words(code) == given


def test_every_sentence_is_said() -> None:
    spoken = {code_of(call) for call in SPELLED.values()}
    handed_on = {
        node.value
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set() == SENTENCES.keys() - spoken - (handed_on & SENTENCES.keys())


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_reads_as_one(code: str) -> None:
    filled = say(code, **dict.fromkeys(words(code), "word"))
    assert code == filled.code
    assert "{" not in filled.sentence
    assert "  " not in filled.sentence
    assert filled.sentence[0].isupper() or SENTENCES[code].startswith(("{", "bridge.toml"))


def test_a_missing_word_or_code_is_a_bug() -> None:
    with pytest.raises(KeyError):
        say("merged", number=1)
    with pytest.raises(KeyError):
        say("no_such_code")


def test_braces_in_a_word_are_only_braces() -> None:
    reason = say("heroku_refused", message="{0} {package.__class__} %s")
    assert "Heroku refused: {0} {package.__class__} %s" == reason.sentence


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 ms"),
        (0.85, "850 ms"),
        (1, "1.0 s"),
        (9.5, "9.5 s"),
        (12, "12 s"),
        (119, "119 s"),
        (120, "2 min"),
        (240, "4 min"),
        (7140, "119 min"),
        (7500, "2 h 5 min"),
        (86400, "24 h"),
    ],
)
def test_a_span_reads_as_people_say_it(seconds: float, told: str) -> None:
    assert told == span(seconds)


def test_a_commit_is_short() -> None:
    assert "abababab" == short("ab" * 20)
