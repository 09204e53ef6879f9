"""The pages that a person sees who clicks on a pull request or a commit of the rehearsal."""

from html import escape

from bridge.rehearsal.github.accounts import iso
from bridge.rehearsal.github.pulls import Pulls
from bridge.rehearsal.github.state import Pull, Refusal, latest

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto }}
pre {{ background: #8881; padding: 1rem; overflow-x: auto; white-space: pre-wrap }}</style>
<p>{repository}, in the rehearsal</p>
<h1>{title}</h1>
{body}
</html>
"""


def page(pulls: Pulls, title: str, parts: list[tuple[str, str]]) -> str:
    """Parts are (heading, text); a text without a heading is a line of its own."""
    body = "\n".join(
        f"<h2>{escape(heading)}</h2>\n<pre>{escape(text)}</pre>"
        if heading
        else f"<p>{escape(text)}</p>"
        for heading, text in parts
        if text
    )
    repository = escape(pulls.shapes.full_name)
    return PAGE.format(title=escape(title), repository=repository, body=body)


def pull_page(pulls: Pulls, number: int) -> str:
    one = pulls.pulls.get(number)
    if one is None:
        raise Refusal("NOT_FOUND", "Not Found")
    checks = latest(pulls.statuses(one.head_sha))
    parts = [
        ("", f"{one.state.lower()}: {story(one)}"),
        ("Description", one.body),
        ("Comments", "\n\n".join(f"{said.author}: {said.body}" for said in one.comments)),
        ("Checks", "\n".join(f"{check.state}  {check.context}" for check in checks)),
        ("Changes", pulls.git.diff(one.base_sha, one.head_sha)),
    ]
    return page(pulls, f"{one.title} #{number}", parts)


def story(one: Pull) -> str:
    words = f"{one.author} wants to merge {one.head_owner}:{one.head} into {one.base}"
    if one.merged_at:
        return f"{words}; merged by {one.merged_by} at {iso(one.merged_at)} as {one.merge_sha}"
    return f"{words}; closed at {iso(one.closed_at)}" if one.closed_at else words


def commit_page(pulls: Pulls, sha: str) -> str:
    if pulls.git.resolve(sha) != sha:
        raise Refusal("NOT_FOUND", "Not Found")
    one = pulls.git.log("-1", sha)[0]
    title = one.message.partition("\n")[0]
    parts = [("", f"commit {sha} by {one.author.name}"), ("Changes", pulls.git.show(sha))]
    return page(pulls, title, parts)
