"""What the command line says of itself: whom it reached, what it did not find, what to do next."""

CLI: dict[str, str] = {
    # whom it asks
    "cli_nobody": "No bridge answers at {url} ({why}). Start one there with `bridge serve`, mend "
    "--url or BRIDGE_URL, or leave both out to ask the database.",
    "cli_stranger": "What answers at {url} is no bridge, or one of another version ({why}).",
    "cli_later": "The bridge at {url} answered {status}: {why}. Ask again later.",
    "cli_no_token": "The bridge at {url} wants to know who asks: set BRIDGE_TOKEN, or "
    "BRIDGE_TOKEN_FILE, to a token that it knows.",
    "cli_wrong_token": "The bridge at {url} does not know this token: set BRIDGE_TOKEN, or "
    "BRIDGE_TOKEN_FILE, to one that it knows.",
    "cli_open_token": "BRIDGE_TOKEN would travel to {host} for everybody to read: use https.",
    "cli_bad_url": "This is not the address of a bridge, as https://bridge.example.com is: --url. "
    "Who asks stands in BRIDGE_TOKEN.",
    "cli_not_read": "What was asked for cannot be read.",
    # its database
    "cli_bad_database": "This is not the address of a database: database_url.",
    "cli_no_database": "There is no such file: database_url. `bridge serve` makes it; --url asks a "
    "bridge that runs elsewhere.",
    "cli_no_data": "What database_url names holds no bridge's data ({why}). `bridge serve` makes "
    "it.",
    "cli_newer_schema": "A newer bridge wrote what database_url names (schema {found}, this one "
    "knows {known}). Install that version here, or ask it with --url.",
    "unknown_schema": "What database_url names cannot be brought up to date: {why}. A newer bridge "
    "wrote it; install that version here.",
    "cli_older_schema": "An older bridge wrote what database_url names (schema {found}, this one "
    "needs {known}). Stop it, then: bridge migrate",
    # what it did not find
    "cli_no_version": "{version} is not a version.",
    "cli_no_release": "No release of {package} {version} is known.{near} `bridge releases` lists "
    "what is.",
    "cli_near": "Near it: {names}.",
    "cli_nothing_yet": "No version has been announced yet.",
    "cli_nothing_found": "Nothing fits. Fewer filters find more.",
    "cli_more": "More: --after {after}",
    "cli_nothing_parked": "Nothing is parked.",
    "cli_nothing_delivered": "Nothing was delivered yet.",
    "cli_nobody_told": "Nobody was told anything yet.",
    "cli_not_swept": "The sweep has not looked yet.",
    # what stands where
    "cli_would": "Would be done: {what}",
    "cli_waits": "Waits for {who}, since {since}. {what}",
    "cli_no_pipelines": "No pipeline is configured: bridge.toml names none.",
    "cli_nothing_serves": "Nothing serves, as far as the bridge knows.",
    "cli_failed_last": "Not live: {version}, {since}. {why}",
    "cli_parked": "{count} parked deliveries wait for a person: bridge deliveries --parked",
    "cli_chain_holds": "The chain holds: {lines} lines, head {head}",
    "cli_chain_broken": "Line {seq} is bad: {problem}. {lines} lines before it hold.",
    "cli_no_targets": "Nobody is told. docs/notifications.md says how to name a target.",
    "cli_would_send": "Would be sent to {name}: {body}",
    "cli_took_it": "{name} took it.",
    # watching
    "cli_unheard": "{package} {version} is not known yet; watching for it.",
    "cli_out_of_time": "After {span} {package} {version} is not verified.",
    "cli_watch_what": "Name a package and its version, or neither.",
    "cli_no_span": "In --timeout {said} is no span of time, as 90s, 30m or 2h are.",
    "cli_lost_sight": "The bridge does not answer; looking again. {why}",
}
