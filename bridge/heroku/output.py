"""What a build printed: the few lines that tell why it failed, and what is kept of it. Pure.

The buildpack indents what its tools print, and begins its own words with an exclamation mark.
Source: https://github.com/heroku/heroku-buildpack-python (spec/hatchet)
"""

import re
from collections.abc import Iterable

from bridge.sentences import capped

KEPT = 8000
BEGINNING = 1000
SENTENCE = 600
LAST_LINES = 3
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
MARGIN = re.compile(r"^(remote: ?)?( {7}|(?= !))?")
FROM_INSTALLER = re.compile(r"ERROR:+ |error: |[×╰╭│] ?")
FROM_BUILDPACK = re.compile(r" ?!\s+")
SAYS_NOTHING = re.compile(
    r"See the log output above|Push (rejected|failed)|(Error: )?Unable to install (the|depend)"
)


def kept(output: str) -> str:
    """The output as evidence: its beginning and its end, if it is long."""
    text = COLOUR.sub("", output).strip()
    if len(text) <= KEPT:
        return text
    return f"{text[:BEGINNING]}\n[…]\n{text[-(KEPT - BEGINNING) :]}"


def why(output: str) -> str:
    """Why the build failed, in one line: the installer's errors with what belongs to them, else
    the buildpack's own words, else the last lines. Empty if it printed nothing."""
    lines = [MARGIN.sub("", COLOUR.sub("", line)).rstrip() for line in output.splitlines()]
    lines = [line for line in lines if line.strip()]
    found = _with_what_follows(lines) or _buildpack(lines) or lines[-LAST_LINES:]
    return capped(" ".join(" ".join(found).split()), SENTENCE)


def _with_what_follows(lines: Iterable[str]) -> list[str]:
    """The installer's errors, each with the indented lines below it: pip lists there what it
    expected and what it got."""
    found: list[str] = []
    within = False
    for line in lines:
        begins = FROM_INSTALLER.match(line) is not None
        within = begins or (within and line.startswith("  "))
        if within:
            found.append(line)
    return found


def _buildpack(lines: Iterable[str]) -> list[str]:
    said = [line[match.end() :] for line in lines if (match := FROM_BUILDPACK.match(line))]
    telling = [line for line in said if line and not SAYS_NOTHING.match(line)]
    return telling or [line for line in said if line]
