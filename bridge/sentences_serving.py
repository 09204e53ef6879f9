"""What is said of a version that serves, served, or shall not: quarantine, rollback, the guard."""

SERVING: dict[str, str] = {
    # quarantine
    "quarantined": "In quarantine by {by} since {since}{until}: {why} A person lifts it: bridge "
    "release-quarantine",
    "quarantine": "{who} put {package} {version} into quarantine{until}: {why}",
    "quarantine_lifted": "{who} lifted the quarantine of {package} {version}: {why}",
    "not_quarantined": "{package} {version} is not in quarantine.",
}
