"""What somebody outside is told, and what came of telling: a part of `sentences`."""

TOLD: dict[str, str] = {
    "tell_verified": "{app}: {package} {version} is live. {why} {link}",
    "tell_failed": "{app}: {package} {version} failed. {why} Mend it, then: bridge retry {package} "
    "{version} --reason TEXT. {link}",
    "tell_rolled_back": "{app}: {package} {version} was taken back. {why} Publish a better "
    "version. {link}",
    "tell_waiting": "{app}: {package} {version} has waited for a person for {span}. {why} {link}",
    "tell_drift": "{app}: what runs is not what {package} {version} says. {why} {link}",
    "tell_alarm": "{app}: look at {package} {version}, now. {why} {link}",
    "tell_parked": "{app}: {package} {version} is stuck. {why} {link}",
    "tell_delivery": "Delivery {id} of {source} is parked: {why}. Look at it, then: bridge replay "
    "{id} --reason TEXT. {link}",
    "tell_test": "The bridge can tell {target}; there is nothing to do. {link}",
    "told": "{name} was told.",
    "not_told": "{name} was not told, after {attempts} tries: {why}. Mend it, then: bridge replay "
    "--out.",
    "waits_no_more": "It did not wait for a person any more.",
    "no_notice": "There is no notice {id}. `bridge deliveries --out` lists what is.",
    "no_target": "bridge.toml has no target {name} any more.",
    "target_gone": "{who} wants to be told nothing more (410).",
    "target_not_known": "{name} has an address that apprise does not know ({why}). Mend its "
    "BRIDGE_TARGET_URLS variable; `bridge notify --test {name}` tries it.",
}
