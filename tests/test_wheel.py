"""Wheels: a good one is read, a bad one is refused with a telling word, nothing else happens."""

import contextlib
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import Refused
from bridge.wheel import Contents, digest_of, import_name, inspect
from tests.rehearsal_kit import wheel
from tests.stories.town import model_wheel
from tests.wheel_cases import (
    ABOUT,
    BAD,
    CODE,
    FILE,
    NAME,
    ONE,
    VERSION,
    good,
    made,
    recorded,
    zipped,
)
from tests.zip_cases import BAD_ZIPS, GOOD, WHOLE, streamed


def look(data: bytes, file: str = FILE) -> Contents:
    return inspect(data, file, NAME, VERSION)


CASES = {**BAD, **BAD_ZIPS}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_wheel_is_refused_with_a_telling_sentence(case: str) -> None:
    data, why = CASES[case]
    with pytest.raises(Refused) as refusal:
        look(data)
    code = "startup_hook" if case.startswith(("start-up", "a start-up")) else "bad_wheel"
    assert code == refusal.value.reason.code
    assert FILE in str(refusal.value)
    assert why
    assert why in str(refusal.value)


def test_the_corpus_is_worth_its_name() -> None:
    assert len(CASES) >= 90
    assert not BAD.keys() & BAD_ZIPS.keys()
    look(GOOD)


def test_what_is_good_stays_good_in_every_spelling() -> None:
    """Sizes after the data, as some writers have it; folders; a build number; two tags."""
    assert look(streamed()).unpacked == sum(map(len, WHOLE.values()))
    tags = b"Wheel-Version: 1.0\nBuild: 7b\nTag: py2-none-any\nTag: py3-none-any\n"
    file = "regression_model-0.1.1-7b-py2.py3-none-any.whl"
    assert look(made({**ONE, f"{ABOUT}/WHEEL": tags}), file)


def test_the_commands_that_it_installs_are_told() -> None:
    points = b"[console_scripts]\nuvicorn = regression_model:run\n[gui_scripts]\nShow = a:b\n"
    told = look(made({**ONE, f"{ABOUT}/entry_points.txt": points + b"[other]\nx = y\n"}))
    assert ("uvicorn", "Show") == told.commands


@pytest.mark.parametrize(
    "file",
    [
        "regression-model-0.1.1-py3-none-any.whl",
        "regression_model-0.1.2-py3-none-any.whl",
        "numpy-0.1.1-py3-none-any.whl",
        "regression_model-0.1.1.tar.gz",
        "regression_model-0.1.1.whl",
        "regression_model-latest-py3-none-any.whl",
        f"regression_model-{'9' * 5000}-py3-none-any.whl",
        "",
    ],
)
def test_a_wheel_under_another_name_is_refused(file: str) -> None:
    with pytest.raises(Refused) as refusal:
        look(good(), file)
    assert "bad_wheel" == refusal.value.reason.code


def test_a_good_wheel_is_measured() -> None:
    data = good()
    assert (len(data), None, None) == ((c := look(data)).size, c.card, c.model_digest)
    assert sum(e.file_size for e in zipfile.ZipFile(io.BytesIO(data)).infolist()) == c.unpacked


def test_a_model_is_known_by_the_digest_of_its_file() -> None:
    file, data = model_wheel(VERSION)
    contents = look(data, file)
    assert contents.card is not None
    assert digest_of(b"model 0.1.1") == contents.model_digest
    assert [100.0 * 2] == [answer.output for answer in contents.card.known_answers]


def test_folders_and_signatures_are_fine() -> None:
    files = {**ONE, f"{ABOUT}/RECORD": recorded(ONE), f"{ABOUT}/RECORD.jws": b"{}"}
    for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert look(zipped({"regression_model/": b"", **files}, how))


def test_names_meet_in_their_normal_form() -> None:
    assert "regression_model" == import_name("Regression.Model")
    file, data = wheel("regression_model", "1.0", CODE)
    assert inspect(data, file, "Regression-Model", "1.0.0")


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06"]))
def test_noise_is_refused(noise: bytes, magic: bytes) -> None:
    with pytest.raises(Refused):
        look(magic + noise)


BASES = [
    zipped({**ONE, f"{ABOUT}/RECORD": recorded(ONE)}, how)
    for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
]
damage = st.lists(st.tuples(st.integers(0, 2**16), st.binary(min_size=1, max_size=4)), max_size=4)


@settings(max_examples=400)
@given(st.sampled_from(BASES), damage, st.none() | st.integers(1, 2000))
def test_a_damaged_wheel_is_read_or_refused(
    base: bytes, hits: list[tuple[int, bytes]], cut: int | None
) -> None:
    data = bytearray(base)
    for where, what in hits:
        where %= len(data)
        data[where : where + len(what)] = what
    with contextlib.suppress(Refused):
        assert look(bytes(data[:cut])).size == len(data[:cut])


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0"), max_size=12),
        st.binary(max_size=40),
        max_size=4,
    )
)
def test_any_names_are_read_or_refused(files: dict[str, bytes]) -> None:
    inside = {f"regression_model/{name}": data for name, data in files.items()}
    for content in ({**ONE, **files}, {**ONE, **inside}):
        with contextlib.suppress(Refused, UnicodeEncodeError):
            data = made(content)
            look(data)


@given(st.binary(max_size=200), st.text(max_size=60))
def test_any_record_and_card_are_read_or_refused(record: bytes, card: str) -> None:
    with contextlib.suppress(Refused):
        look(made(ONE, recorded(ONE) + record))
    with contextlib.suppress(Refused):
        text = card.encode("utf-8", "surrogatepass")
        look(made({**ONE, "regression_model/model_card.json": text}))
