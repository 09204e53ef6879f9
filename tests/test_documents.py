"""Our GraphQL speaks GitHub's published types."""

import re
from pathlib import Path

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate

import bridge.rehearsal.github
from bridge.github import documents

DOCUMENTS = {
    name: text for name, text in vars(documents).items() if name.isupper() and isinstance(text, str)
}
QUERIES = {"LOOK", "PULLS", "REVIEWS"}
MUTATIONS = sorted(DOCUMENTS.keys() - QUERIES)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    types = Path(bridge.rehearsal.github.__file__).with_name("schema.graphql")
    return build_schema(types.read_text())


def test_there_is_a_document_per_act_and_three_to_see() -> None:
    pulls = {"PROPOSE", "DRAFT", "SWAP", "MERGE", "MERGE_LATER", "HOLD", "ENQUEUE", "CLOSE"}
    assert {"LOOK", "PULLS", "REVIEWS", "DELETE_BRANCH"} | pulls == DOCUMENTS.keys()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid(schema: GraphQLSchema, name: str) -> None:
    assert [] == validate(schema, parse(DOCUMENTS[name]))


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("LOOK", "headRefOid", "headRefOID"),
        ("LOOK", "... on Blob", "... on Bob"),
        ("LOOK", "{ oid }", ""),
        ("LOOK", "direction: DESC", "direction: SIDEWAYS"),
        ("LOOK", "$baseRef)", "$baseFile, x: 1)"),
        ("LOOK", "path: $path0", "path: $path1"),
        ("LOOK", "viewer { login", "viewer { log_in"),
        ("LOOK", "changedFilesIfAvailable", "changedFiles"),
        ("PULLS", "[ID!]!", "[ID]"),
        ("REVIEWS", "latestOpinionatedReviews", "latestReview"),
        ("REVIEWS", "tagger", "author"),
        ("PROPOSE", "CreateRefInput!", "CreateRefInput"),
        ("PROPOSE", "createCommitOnBranch", "createCommit"),
        ("MERGE", "MergePullRequestInput!", "ClosePullRequestInput!"),
        ("CLOSE", "$hasRef)", "$hasRefs)"),
        ("DELETE_BRANCH", "clientMutationId", "ref { id }"),
    ],
)
def test_a_broken_document_is_not(schema: GraphQLSchema, name: str, right: str, wrong: str) -> None:
    assert right in DOCUMENTS[name]
    assert validate(schema, parse(DOCUMENTS[name].replace(right, wrong, 1)))


@pytest.mark.parametrize("count", [1, 2, 10, 11])
def test_a_look_at_several_files_is_valid_and_has_an_alias_for_each(
    schema: GraphQLSchema, count: int
) -> None:
    document = documents.look(count)
    assert [] == validate(schema, parse(document))
    for number in range(count):
        assert 1 == document.count(f"file{number}: file(path: $path{number})")
        assert 1 == document.count(f"$path{number}: String!")
    assert f"path{count}" not in document


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_has_one_named_operation(name: str) -> None:
    """The rehearsal's journal and GitHub's own logs call a document by it."""
    operations = [
        node
        for node in parse(DOCUMENTS[name]).definitions
        if isinstance(node, OperationDefinitionNode)
    ]
    assert 1 == len(operations)
    assert operations[0].name is not None
    assert ("query" if name in QUERIES else "mutation") == operations[0].operation.value


@pytest.mark.parametrize("name", MUTATIONS)
def test_values_are_never_written_into_a_document(name: str) -> None:
    assert not re.search(r'"', DOCUMENTS[name])
