"""The inputs of GitHub's mutations, once the types of GraphQL have let them pass."""

from typing import Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Input(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class CreateRef(Input):
    repository_id: str
    name: str
    oid: str


class DeleteRef(Input):
    ref_id: str


class Branch(Input):
    id: str | None = None
    repository_name_with_owner: str | None = None
    branch_name: str | None = None


class Message(Input):
    headline: str
    body: str | None = None


class Addition(Input):
    path: str
    contents: Base64Bytes


class Deletion(Input):
    path: str


class Changes(Input):
    additions: list[Addition] = []
    deletions: list[Deletion] = []


class CreateCommit(Input):
    branch: Branch
    message: Message
    expected_head_oid: str
    file_changes: Changes = Changes()


class CreatePull(Input):
    repository_id: str
    base_ref_name: str
    head_ref_name: str
    title: str
    body: str | None = None
    draft: bool = False


class MergePull(Input):
    pull_request_id: str
    expected_head_oid: str | None = None
    commit_headline: str | None = None
    commit_body: str | None = None
    merge_method: Literal["MERGE", "SQUASH", "REBASE"] = "MERGE"


class RefUpdate(Input):
    name: str
    after_oid: str
    before_oid: str | None = None
    force: bool = False


class UpdateRefs(Input):
    repository_id: str
    ref_updates: list[RefUpdate]


class UpdatePull(Input):
    pull_request_id: str
    title: str | None = None
    body: str | None = None


class EnqueuePull(Input):
    pull_request_id: str
    expected_head_oid: str | None = None


class ClosePull(Input):
    pull_request_id: str


class AddComment(Input):
    subject_id: str
    body: str
