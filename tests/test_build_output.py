"""Why a build failed, out of what pip, uv and Heroku's Python buildpack really print."""

import pytest

from bridge.heroku.output import KEPT, SENTENCE, kept, why

END = """
 !     Error: Unable to install dependencies using pip.
 !
 !     See the log output above for more information.

 !     Push rejected, failed to compile Python app.
"""
HASHES = f"""-----> Building on the Heroku-26 stack
-----> Python app detected
-----> Installing dependencies using 'pip install -r requirements.txt'
       Collecting regression-model==0.1.1 (from -r requirements.txt (line 4))
         Downloading regression_model-0.1.1-py3-none-any.whl (12 kB)
       ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have \
updated the package versions, please update the hashes. Otherwise, examine the package contents \
carefully; someone may have tampered with them.
           regression-model==0.1.1 from https://index.example.com/regression_model-0.1.1.whl:
               Expected sha256 {"a" * 64}
                    Got        {"b" * 64}
{END}"""
MISSING = f"""-----> Installing dependencies using 'pip install -r requirements.txt'
       ERROR: Could not find a version that satisfies the requirement regression-model==0.1.1 \
(from versions: 0.1.0)
       ERROR: No matching distribution found for regression-model==0.1.1
{END}"""
INVALID = f"""remote: -----> Installing dependencies using 'pip install -r requirements.txt'
remote:        ERROR: Invalid requirement: 'an-invalid-requirement!': Expected end or semicolon
remote:            an-invalid-requirement!
remote:                                  ^ (from line 1 of requirements.txt)
{END.replace(" !", "remote:  !")}"""
BUILDPACK = """-----> Python app detected

 !     Error: Multiple Python package manager files were found.
 !
 !     Exactly one package manager file should be present in your app's
 !     source code, however, several were found.

 !     Push rejected, failed to compile Python app.
"""
UV = """-----> Installing requirements with uv pip install -r requirements.txt
       \x1b[31m×\x1b[0m No solution found when resolving dependencies:
       ╰─▶ Because regression-model==0.1.1 depends on pydantic<2, they are unsatisfiable.
 !     Unable to install the requirements.
 !     Push failed
"""


@pytest.mark.parametrize(
    ("output", "told", "untold"),
    [
        (HASHES, f"Expected sha256 {'a' * 64} Got {'b' * 64}", "Collecting"),
        (MISSING, "No matching distribution found for regression-model==0.1.1", "See the log"),
        (INVALID, "an-invalid-requirement! ^ (from line 1 of requirements.txt)", "remote:"),
        (BUILDPACK, "Error: Multiple Python package manager files were found. Exactly one", "Push"),
        (UV, "╰─▶ Because regression-model==0.1.1 depends on pydantic<2", "\x1b"),
        (" !     Push failed\n", "Push failed", "!"),
        ("one\n\ntwo\nthree\nKilled\n", "two three Killed", "one"),
        ("", "", "x"),
    ],
    ids=["hashes", "missing", "invalid", "buildpack", "uv", "nothing else", "no mark", "empty"],
)
def test_the_lines_that_matter(output: str, told: str, untold: str) -> None:
    assert told in why(output)
    assert untold not in why(output)


def test_a_sentence_stays_one() -> None:
    found = why("\n".join(f"ERROR: {number} {'x' * 80}" for number in range(100)))
    assert SENTENCE == len(found)
    assert "\n" not in found


def test_what_is_kept_is_the_beginning_and_the_end() -> None:
    output = "\n".join(["-----> Building", *(f"       line {n}" for n in range(5000)), "last"])
    text = kept(output)
    assert len(text) < KEPT + 10
    assert text.startswith("-----> Building")
    assert text.endswith("\nlast")
    assert "line 2500" not in text
    assert "short" == kept("\x1b[1mshort\x1b[0m\n")
