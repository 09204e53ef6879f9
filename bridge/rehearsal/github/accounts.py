"""GitHub's accounts and repositories in REST shape: every field that its description requires."""

from datetime import UTC, datetime

from bridge.rehearsal.github.state import account_id

Json = dict[str, object]

USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
NOTHING: Json = {
    "description": None,
    "disabled": False,
    "fork": False,
    "forks": 0,
    "forks_count": 0,
    "has_pages": False,
    "homepage": None,
    "language": "Python",
    "license": None,
    "mirror_url": None,
    "open_issues": 0,
    "open_issues_count": 0,
    "private": False,
    "size": 0,
    "stargazers_count": 0,
    "topics": [],
    "visibility": "public",
    "watchers": 0,
    "watchers_count": 0,
}


def iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_or_none(when: datetime | None) -> str | None:
    return iso(when) if when else None


class Accounts:
    """Who there is around one repository at `url`, where both the API and the pages live."""

    def __init__(self, url: str, full_name: str, created: datetime) -> None:
        self.url, self.full_name, self.created = url, full_name, created
        self.owner, self.name = full_name.split("/")
        self.page = f"{url}/{full_name}"
        self.api = f"{url}/repos/{full_name}"

    def user(self, login: str) -> Json:
        """A login that ends in [bot] is an App's; the one that owns the repository, a company's."""
        kind = "Organization" if login == self.owner else "User"
        api = f"{self.url}/users/{login}"
        return {key: api + path for key, path in USER_LINKS.items()} | {
            "login": login,
            "id": account_id(login),
            "node_id": f"U_rehearsal{account_id(login)}",
            "avatar_url": f"{self.url}/{login}.png",
            "gravatar_id": "",
            "url": api,
            "html_url": f"{self.url}/{login}",
            "type": "Bot" if login.endswith("[bot]") else kind,
            "site_admin": False,
        }

    def repository(self) -> Json:
        created = iso(self.created)
        links = {key: self.api + path for key, path in REPOSITORY_LINKS.items()}
        return (NOTHING | links) | {
            "id": account_id(self.full_name),
            "node_id": self.node_id,
            "name": self.name,
            "full_name": self.full_name,
            "owner": self.user(self.owner),
            "html_url": self.page,
            "url": self.api,
            "clone_url": f"{self.page}.git",
            "git_url": f"{self.page}.git",
            "ssh_url": f"{self.page}.git",
            "svn_url": self.page,
            "default_branch": "main",
            "created_at": created,
            "updated_at": created,
            "pushed_at": created,
        }

    @property
    def node_id(self) -> str:
        return f"R_rehearsal{account_id(self.full_name)}"
