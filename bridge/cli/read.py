"""What is live, what is on its way, why not: the commands that only look."""

import typer

from bridge.cli import lists, screen, told, words
from bridge.cli.ask import ask
from bridge.cli.common import LOOK, command
from bridge.sentences import say


@command(LOOK, "bridge now", "bridge now --url https://bridge.example.com")
def now(as_json: words.AsJson = False, url: words.Url = None) -> None:
    """What serves, whether that is proven, what is on its way, and why it waits."""
    from bridge.web.shapes import Now

    found = ask(url, lambda bridge: bridge.get(Now, "/now"))
    if as_json:
        return screen.print_json(found)
    return screen.lines(told.now(found, screen.width()))


@command(
    LOOK,
    "bridge releases",
    "bridge releases --pipeline house-prices --stage failed --since 2026-11-01",
    "bridge releases --json --limit 200",
)
def releases(
    pipeline: words.Pipeline = None,
    stage: words.AtStage = None,
    actor: words.Actor = None,
    version: words.OfVersion = None,
    since: words.Since = None,
    limit: words.Limit = 20,
    after: words.After = None,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """The history, newest first."""
    from bridge.web.shapes import Page, ReleaseRow

    filters = {"pipeline": pipeline, "stage": stage, "actor": actor, "version": version}
    filters |= {"from": since.isoformat() if since else None, "after": after}
    found = ask(
        url, lambda bridge: bridge.get(Page[ReleaseRow], "/releases", limit=limit, **filters)
    )
    if as_json:
        return screen.print_json(found)
    if not found.items and not found.after:
        some = any(filters.values())
        return screen.tell(say("cli_nothing_found" if some else "cli_nothing_yet").sentence)
    screen.table(*lists.releases(found.items))
    return screen.more(found.after)


@command(
    LOOK,
    "bridge show regression-model 0.1.1",
    "bridge show regression-model 0.1.1 --json",
)
def show(
    package: words.Package,
    version: words.Version,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """One version's releases: the way it went, the model it replaces, the evidence, every line."""
    from bridge.cli.find import pages_of

    found = ask(url, lambda bridge: pages_of(bridge, package, version))
    if as_json:
        return screen.print_json({"items": [page.model_dump(mode="json") for page in found]})
    for page in found:
        screen.lines(told.page(page, screen.width()))
    return None


@command(
    LOOK, "bridge why regression-model 0.1.1", "bridge why regression-model 0.1.1 || echo not yet"
)
def why(
    package: words.Package,
    version: words.Version,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """Why a version stands where it stands, since when, for whom it waits, and what would let it
    go on. Exit 1 unless it is verified."""
    from bridge.cli.find import pages_of

    found = ask(url, lambda bridge: pages_of(bridge, package, version))
    if as_json:
        screen.print_json({"items": [page.model_dump(mode="json") for page in found]})
    else:
        for page in found:
            screen.lines(told.why(page, screen.width()))
    if any(page.stage.value != "verified" for page in found):
        raise typer.Exit(1)


@command(LOOK, "bridge numbers", "bridge numbers --days 90 --pipeline house-prices")
def numbers(
    days: words.Days = "30",
    pipeline: words.Pipeline = None,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """DORA's five with their definitions, where the time goes, and what no webhook told."""
    from bridge.web.shapes import Numbers

    found = ask(
        url, lambda bridge: bridge.get(Numbers, "/metrics", days=int(days), pipeline=pipeline)
    )
    if as_json:
        return screen.print_json(found)
    return screen.lines(told.numbers(found, screen.width()))
