"""What the pages say by themselves: a part of `sentences`."""

PAGES: dict[str, str] = {
    # now, in one line
    "now_nothing": "No pipeline is configured, so there is nothing to carry.",
    "now_calm": "Everything that serves is proven, and nothing waits for a person.",
    "now_under_way": "Everything that serves is proven; {count} on the way, without a person.",
    "now_waits": "{what} for a person; everything that serves is proven.",
    "now_missed": "Not live: {names}; everything that serves is proven.",
    "now_paused": "{names}: paused by a person; everything that serves is proven.",
    "now_drift": "Index, branch, Heroku and API do not agree, and nobody knows why: look at "
    "{names}.",
    "now_unproven": "Not everything that serves is proven: look at {names}.",
    "now_unknown": "Nobody knows yet what serves in {names}.",
    # what became of a delivery
    "began_one": "The release of {version} in {pipeline} began.",
    "ended_already": "{version} has ended before: it is {stage}.",
    "woke_known": "The release of {version} in {pipeline} is known, and was looked at again.",
    "woke_one": "One release was looked at again.",
    "woke_some": "{count} releases were looked at again.",
    "woke_none": "No release waited for this.",
    # the stream
    "news": "{package} {version}: {sentence}",
    "too_many_watch": "As many watch the record already as may. Ask again, or look now and then.",
    # charts
    "chart_empty": "Nothing happened in these days that it could be told from.",
    "chart_trend": "Highest on {day}: {most}. At last: {last}. {known} of {days} days have a "
    "value.",
    # what is not there, and what to do
    "title_not_found": "Not here",
    "title_not_read": "The address cannot be read",
    "title_broken": "The page could not be made",
    "title_away": "Not now",
    "page_not_found": "There is no page at this address, or what it showed is not here.",
    "page_not_read": "The address asks for something in a way that cannot be read.",
    "page_broken": "The bridge could not make this page. Releases are carried all the same.",
    "page_away": "The database does not answer just now, so there is nothing to show.",
    "onward_not_found": "Check the number in the address, or go on from here:",
    "onward_not_read": "Mend the address, or go on from here:",
    "onward_broken": "Load the page again. If it stays so, the log tells what went wrong.",
    "onward_away": "Load the page again in a minute; `/readyz` says when it is back.",
}
