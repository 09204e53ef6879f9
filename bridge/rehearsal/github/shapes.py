"""GitHub's pull requests, statuses and commits in REST shape; webhooks and answers share them."""

from bridge.rehearsal.github.accounts import Accounts, Json, iso, iso_or_none
from bridge.rehearsal.github.git import Commit, Person
from bridge.rehearsal.github.state import CommitStatus, Pull, account_id


class Shapes(Accounts):
    """What happens in one repository, as GitHub tells it."""

    def pull(
        self, pull: Pull, size: tuple[int, int, int, int], mergeable: bool | None, merge: str | None
    ) -> Json:
        """`merge` is the merge commit; of an unmerged one, GitHub tells its trial merge there."""
        api, page = f"{self.api}/pulls/{pull.number}", f"{self.page}/pull/{pull.number}"
        issue = f"{self.api}/issues/{pull.number}"
        links = {
            "self": api,
            "html": page,
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{api}/comments",
            "review_comment": f"{self.api}/pulls/comments{{/number}}",
            "commits": f"{api}/commits",
            "statuses": f"{self.api}/statuses/{pull.head_sha}",
        }
        repository = self.repository()
        commits, files, added, gone = size
        return {f"{key}_url": link for key, link in links.items() if key != "self"} | {
            "url": api,
            "id": pull.number,
            "node_id": pull.node_id,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "number": pull.number,
            "state": "open" if pull.state == "OPEN" else "closed",
            "locked": False,
            "active_lock_reason": None,
            "title": pull.title,
            "user": self.user(pull.author),
            "body": pull.body or None,
            "labels": [self.label(name) for name in pull.labels],
            "milestone": None,
            "assignee": None,
            "assignees": [],
            "requested_reviewers": [self.user(login) for login in pull.reviewers],
            "requested_teams": [self.team(slug) for slug in pull.teams],
            "created_at": iso(pull.created_at),
            "updated_at": iso(pull.updated_at),
            "closed_at": iso_or_none(pull.closed_at),
            "merged_at": iso_or_none(pull.merged_at),
            "merge_commit_sha": merge,
            "head": self.end(pull.head_owner, pull.head, pull.head_sha, repository),
            "base": self.end(self.owner, pull.base, pull.base_sha, repository),
            "_links": {key: {"href": link} for key, link in links.items()},
            "author_association": "NONE" if pull.cross else "CONTRIBUTOR",
            "auto_merge": None,
            "draft": pull.draft,
            "merged": pull.merged,
            "mergeable": mergeable,
            "mergeable_state": {True: "clean", False: "dirty", None: "unknown"}[mergeable],
            "merged_by": self.user(pull.merged_by) if pull.merged_by else None,
            "comments": len(pull.comments),
            "review_comments": 0,
            "maintainer_can_modify": False,
            "commits": commits,
            "additions": added,
            "deletions": gone,
            "changed_files": files,
        }

    def end(self, owner: str, branch: str, sha: str, repository: Json) -> Json:
        if owner != self.owner:
            fork = {"fork": True, "full_name": f"{owner}/{self.name}", "owner": self.user(owner)}
            repository = repository | fork | {"id": account_id(f"{owner}/{self.name}")}
        return {
            "label": f"{owner}:{branch}",
            "ref": branch,
            "sha": sha,
            "repo": repository,
            "user": self.user(owner),
        }

    def label(self, name: str) -> Json:
        number = account_id(name)
        return {
            "id": number,
            "node_id": f"LA_rehearsal{number}",
            "url": f"{self.api}/labels/{name}",
            "name": name,
            "description": None,
            "color": "ededed",
            "default": False,
        }

    def team(self, slug: str) -> Json:
        number = account_id(f"{self.owner}/{slug}")
        api = f"{self.url}/organizations/{account_id(self.owner)}/team/{number}"
        return {
            "id": number,
            "node_id": f"T_rehearsal{number}",
            "url": api,
            "html_url": f"{self.url}/orgs/{self.owner}/teams/{slug}",
            "members_url": f"{api}/members{{/member}}",
            "repositories_url": f"{api}/repos",
            "name": slug,
            "slug": slug,
            "description": None,
            "privacy": "closed",
            "notification_setting": "notifications_enabled",
            "permission": "push",
            "parent": None,
            "type": "organization",
            "organization_id": account_id(self.owner),
        }

    def status(self, status: CommitStatus) -> Json:
        return {
            "url": f"{self.api}/statuses/{status.sha}",
            "avatar_url": None,
            "id": status.number,
            "node_id": f"SC_rehearsal{status.number}",
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": iso(status.at),
            "updated_at": iso(status.at),
        }

    def pushed_commit(self, commit: Commit) -> Json:
        """A commit as a push tells it."""
        return {
            "id": commit.sha,
            "tree_id": commit.tree,
            "distinct": True,
            "message": commit.message,
            "timestamp": commit.committed_at,
            "url": f"{self.page}/commit/{commit.sha}",
            "author": person(commit.author),
            "committer": person(commit.committer),
        }

    def commit(self, commit: Commit) -> Json:
        """A commit as REST tells it, and with it the status webhook."""
        api, page = f"{self.api}/commits", f"{self.page}/commit"
        inner = f"{self.api}/git"
        return {
            "sha": commit.sha,
            "node_id": f"C_rehearsal{commit.sha}",
            "url": f"{api}/{commit.sha}",
            "html_url": f"{page}/{commit.sha}",
            "comments_url": f"{api}/{commit.sha}/comments",
            "author": None,
            "committer": None,
            "parents": [
                {"sha": sha, "url": f"{api}/{sha}", "html_url": f"{page}/{sha}"}
                for sha in commit.parents
            ],
            "commit": {
                "author": person(commit.author) | {"date": commit.authored_at},
                "committer": person(commit.committer) | {"date": commit.committed_at},
                "message": commit.message,
                "tree": {"sha": commit.tree, "url": f"{inner}/trees/{commit.tree}"},
                "url": f"{inner}/commits/{commit.sha}",
                "comment_count": 0,
                "verification": {
                    "verified": False,
                    "reason": "unsigned",
                    "signature": None,
                    "payload": None,
                    "verified_at": None,
                },
            },
        }


def person(who: Person) -> Json:
    return {"name": who.name, "email": who.email}
