"""The pages that a person sees who clicks on a pull request or a commit of the rehearsal."""

from html import escape

from bridge.rehearsal.github.accounts import iso
from bridge.rehearsal.github.markdown import html_of
from bridge.rehearsal.github.pulls import Pulls
from bridge.rehearsal.github.rules import obstacle
from bridge.rehearsal.github.state import Pull, Refusal, latest, rollup

REVIEWER = "rosa"
"""Who looks at the page: of the rehearsal's people the one who reviews and merges."""
LOOK_AGAIN = '<meta http-equiv="refresh" content="3">'
WORDS = {"APPROVED": "approved", "CHANGES_REQUESTED": "wants changes of"}
STYLE = """
body { font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif;
  color: #1f2328; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-weight: 400; font-size: 2rem; line-height: 1.25; margin: 0 0 .5rem }
h1 i { color: #59636e; font-style: normal }
h2 { font-size: 1rem; border-bottom: 1px solid #d1d9e0; padding-bottom: .3rem; margin-top: 2rem }
a { color: #0969da; text-decoration: none } a code { color: inherit }
pre { background: #f6f8fa; padding: 1rem; overflow-x: auto; white-space: pre-wrap }
code, pre { font: 12px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
code { background: #818b981f; padding: .2em .4em; border-radius: 6px; overflow-wrap: anywhere }
.state { color: #fff; border-radius: 2em; padding: .2rem .7rem; background: #59636e }
.OPEN { background: #1f883d } .MERGED { background: #8250df } .CLOSED { background: #cf222e }
.said { border: 1px solid #d1d9e0; border-radius: 6px; padding: 0 1rem; margin: 1rem 0 }
.said h3 { font-size: 1.25rem } .label { border: 1px solid #d1d9e0; border-radius: 2em;
  padding: 0 .6rem; margin-right: .3rem }
.said table { border-collapse: collapse; margin: 1rem 0 }
.said th, .said td { border: 1px solid #d1d9e0; padding: 6px 13px }
.said tr:nth-child(2n) { background: #f6f8fa } .said th:empty { display: none }
li.success::marker { content: "✓ "; color: #1f883d } li.pending::marker { content: "● " }
li.failure::marker, li.error::marker { content: "✗ "; color: #cf222e }
form { display: inline-block; margin: 0 .5rem 0 0 } .acts p { margin: .5rem 0 0 }
button { font: inherit; padding: .3rem 1rem; border: 1px solid #d1d9e0; border-radius: 6px;
  background: #f6f8fa; color: #25292e; cursor: pointer }
button.merge { background: #1f883d; color: #fff }
button:disabled { background: #eff2f5; color: #59636e; cursor: not-allowed }
"""
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">{head}<title>{title}</title>
<style>{style}</style>
<p>{repository}, in the rehearsal</p>
<h1>{heading}</h1>
{body}
</html>
"""


def page(pulls: Pulls, title: str, heading: str, parts: list[str], head: str = "") -> str:
    """Heading, parts and head are HTML already."""
    return PAGE.format(
        head=head,
        title=escape(title),
        style=STYLE,
        repository=escape(pulls.shapes.full_name),
        heading=heading,
        body="\n".join(part for part in parts if part),
    )


def pull_page(pulls: Pulls, number: int) -> str:
    one = pulls.pulls.get(number)
    if one is None:
        raise Refusal("NOT_FOUND", "Not Found")
    asked = [*one.reviewers, *(f"{pulls.shapes.owner}/{team}" for team in one.teams)]
    parts = [
        f'<p><span class="state {one.state}">{one.state.capitalize()}</span> {story(one)}</p>',
        marked("Labels", one.labels) + marked("Reviewers", asked),
        said(one.author, one.body),
        *(said(comment.author, comment.body) for comment in one.comments),
        reviews(one),
        checks(pulls, one),
        acts(pulls, one),
        block("Changes", pulls.git.diff(one.base_sha, one.head_sha)),
    ]
    heading = f"{escape(one.title)} <i>#{number}</i>"
    head = LOOK_AGAIN if waits_for_checks(pulls, one) else ""
    return page(pulls, f"{one.title} #{number}", heading, parts, head)


def story(one: Pull) -> str:
    words = f"{one.author} wants to merge {one.head_owner}:{one.head} into {one.base}"
    if one.merged_at:
        words += f"; merged by {one.merged_by} at {iso(one.merged_at)} as {one.merge_sha}"
    elif one.closed_at:
        words += f"; closed at {iso(one.closed_at)}"
    return escape(words)


def said(author: str, text: str) -> str:
    return f'<section class="said"><p>{escape(author)}</p>\n{html_of(text)}</section>'


def marked(word: str, names: list[str]) -> str:
    told = "".join(f'<span class="label">{escape(name)}</span>' for name in names)
    return f"<p>{word}: {told}</p>" if names else ""


def checks(pulls: Pulls, one: Pull) -> str:
    told = "".join(
        f'<li class="{check.state}"><b>{escape(check.context)}</b> '
        f"{escape(check.description or '')}</li>"
        for check in latest(pulls.statuses(one.head_sha))
    )
    return f"<h2>Checks</h2>\n<ul>{told}</ul>" if told else ""


def reviews(one: Pull) -> str:
    told = "".join(
        f'<li class="{"success" if verdict == "APPROVED" else "failure"}">'
        f"<b>{escape(login)}</b> {WORDS[verdict]} <code>{one.reviewed[login][0][:8]}</code></li>"
        for login, verdict in one.reviews.items()
    )
    return f"<h2>Reviews</h2>\n<ul>{told}</ul>" if told else ""


def acts(pulls: Pulls, one: Pull) -> str:
    """The reviewer's two buttons; the grey one says why it is."""
    if one.state != "OPEN":
        return ""
    path = f"/{escape(pulls.shapes.full_name)}/pull/{one.number}"
    no = why_not(pulls, one)
    grey = " disabled" if no else ""
    return (
        f'<h2>As {REVIEWER}</h2>\n<section class="acts">'
        f'<form method="post" action="{path}/approve"><button>Approve</button></form>'
        f'<form method="post" action="{path}/merge">'
        f'<button class="merge"{grey}>Merge pull request</button></form>'
        f"{f'<p>{escape(no)}</p>' if no else ''}</section>"
    )


def why_not(pulls: Pulls, one: Pull) -> str | None:
    """Why the API would refuse to merge it, in its words."""
    if one.draft:
        return "Pull Request is still a draft"
    if no := obstacle(pulls.rules, one, pulls.statuses(one.head_sha)):
        return no
    return "Pull Request is not mergeable" if pulls.mergeable(one) is False else None


def waits_for_checks(pulls: Pulls, one: Pull) -> bool:
    """GitHub's page follows its checks by itself."""
    said = latest(pulls.statuses(one.head_sha))
    missing = pulls.rules.checks - {check.context for check in said}
    return one.state == "OPEN" and (bool(missing) or rollup(said) == "pending")


def block(heading: str, text: str) -> str:
    return f"<h2>{escape(heading)}</h2>\n<pre>{escape(text)}</pre>"


def commit_page(pulls: Pulls, sha: str) -> str:
    if pulls.git.resolve(sha) != sha:
        raise Refusal("NOT_FOUND", "Not Found")
    one = pulls.git.log("-1", sha)[0]
    title = one.message.partition("\n")[0]
    parts = [
        f"<p>commit {sha} by {escape(one.author.name)}</p>",
        block("Changes", pulls.git.show(sha)),
    ]
    return page(pulls, title, escape(title), parts)
