"""GitHub's GraphQL over the simulated repository: its published types, executed by graphql-core.

A field that is in the types but that nothing here answers is a bug, never a silent null.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from bridge.rehearsal.gate import Fault
from bridge.rehearsal.github.accounts import Json
from bridge.rehearsal.github.mutations import MUTATIONS, Act
from bridge.rehearsal.github.pulls import Pulls
from bridge.rehearsal.github.queries import nodes, repository
from bridge.rehearsal.github.state import Before, Refusal, account_id


@lru_cache
def schema() -> GraphQLSchema:
    return build_schema(Path(__file__).with_name("schema.graphql").read_text())


@lru_cache
def understand(text: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """The parsed document, or what is wrong with it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(validate(schema(), document))


def operation_name(text: str) -> str:
    """What the journal calls a document: the name of its first operation."""
    document, _ = understand(text)
    for node in document.definitions if document else ():
        if isinstance(node, OperationDefinitionNode) and node.name:
            return node.name.value
    return "anonymous"


class Execution:
    """One document on its way. Fields of a mutation run in order, also after one has failed.

    A fault at a field ends the document there: a fault that refuses, before the effect; one that
    loses the reply, after it. So a client sees what GitHub's ten-second limit can do.
    """

    def __init__(self, pulls: Pulls, login: str, before: Before) -> None:
        self.pulls, self.login, self.before = pulls, login, before
        self.effects: list[str] = []
        self.fault: Fault | None = None
        self._softened: list[Json] = []

    def run(self, text: str, variables: Mapping[str, object]) -> Json:
        """The body of GitHub's answer: `data`, `errors` or both. Always HTTP 200."""
        document, wrong = understand(text)
        if document is None or wrong:
            return {"errors": [dict(error.formatted) for error in wrong]}
        viewer = {"login": self.login.removesuffix("[bot]"), "databaseId": account_id(self.login)}
        root: Json = {"repository": self._repository, "viewer": viewer, "nodes": self._nodes}
        root |= {name: self._mutation(name, act) for name, act in MUTATIONS.items()}
        result = execute_sync(
            schema(), document, root, variable_values=dict(variables), field_resolver=answer
        )
        errors = self._softened + [formatted(error) for error in result.errors or []]
        return {"data": result.data} | ({"errors": errors} if errors else {})

    def _repository(self, _: GraphQLResolveInfo[None], owner: str, name: str) -> Json:
        full_name = f"{owner}/{name}"
        if full_name.lower() != self.pulls.shapes.full_name.lower():
            message = f"Could not resolve to a Repository with the name '{full_name}'."
            raise Refusal("NOT_FOUND", message)
        return repository(self.pulls)

    def _nodes(self, _: GraphQLResolveInfo[None], ids: list[str]) -> list[Json | Refusal]:
        return nodes(self.pulls, ids)

    def _mutation(self, name: str, act: Act) -> Callable[..., Json | None]:
        def resolve(info: GraphQLResolveInfo[None], **arguments: Json) -> Json | None:
            if self.fault:
                return None
            fault = self.before(name)
            if fault and fault.kind == "refuse":
                self.fault = fault
                return None
            given = arguments["input"]
            try:
                payload = act(self.pulls, self.login, given)
            except Refusal as refusal:
                if name != "createPullRequest":
                    raise
                # Here GitHub answers with an empty payload where the others answer null.
                self._softened.append(error_shape(refusal, info.path.as_list()))
                return {"pullRequest": None}
            self.effects.append(name)
            self.fault = fault
            return payload | {"clientMutationId": given.get("clientMutationId")}

        return resolve


def answer(source: Json, info: GraphQLResolveInfo[None], **arguments: object) -> object:
    if info.field_name not in source:
        raise NotImplementedError(f"nothing answers {info.parent_type}.{info.field_name}")
    value = source[info.field_name]
    return value(info, **arguments) if callable(value) else value


def error_shape(refusal: Refusal, path: list[str | int] | None) -> Json:
    return {"type": refusal.kind, "path": path, "message": refusal.message}


def formatted(error: GraphQLError) -> Json:
    """GitHub's form of an error; anything that GitHub would not say is our bug and is raised."""
    if isinstance(error.original_error, Refusal):
        return error_shape(error.original_error, error.path) | {
            "locations": [dict(one.formatted) for one in error.locations or []]
        }
    if error.original_error and not isinstance(error.original_error, GraphQLError):
        raise error.original_error
    return dict(error.formatted)
