"""Write bridge/rehearsal/github/schema.graphql: GitHub's published types, as far as we ask.

    python tools/prune_github_schema.py PATH/schema.graphql

The file is `schema.graphql` of the npm package @octokit/graphql-schema, its package.json beside
it. Run it again whenever bridge/github/documents.py asks for a new field or argument: the
simulated GitHub then knows that one, and nothing else.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_ast_schema,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
    parse,
    print_ast,
    validate,
    visit,
)

from bridge.github import documents

OUTPUT = Path(__file__).parent.parent / "bridge" / "rehearsal" / "github" / "schema.graphql"
HEADER = """\
# GitHub's GraphQL types, only what bridge/github/documents.py asks for.
# Source: npm {name} {version}, licence MIT, Copyright (c) GitHub.
# Made by tools/prune_github_schema.py: do not edit, run it again.

"""

Uses = dict[str, dict[str, set[str]]]  # type → field → arguments


class Collector(Visitor):
    """Writes down every field that a document asks for, and the arguments it gives."""

    def __init__(self, info: TypeInfo, uses: Uses) -> None:
        super().__init__()
        self.info, self.uses = info, uses

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent, name = self.info.get_parent_type(), node.name.value
        if parent is not None and not name.startswith("__"):
            arguments = {argument.name.value for argument in node.arguments or ()}
            self.uses[parent.name].setdefault(name, set()).update(arguments)


def collect(schema: GraphQLSchema, texts: Iterable[str]) -> Uses:
    uses: Uses = defaultdict(dict)
    for text in texts:
        document = parse(text)
        if errors := validate(schema, document):
            raise SystemExit(f"GitHub would refuse a document: {errors[0]}")
        info = TypeInfo(schema)
        visit(document, TypeInfoVisitor(info, Collector(info, uses)))
    return uses


class Pruner:
    """Walks from what is used to every type it needs. `texts` holds each as GraphQL."""

    def __init__(self, schema: GraphQLSchema, uses: Uses) -> None:
        self.schema, self.uses = schema, uses
        self.texts: dict[str, str] = {}
        for name in list(uses):
            self.share(schema.type_map[name])
        for name in list(uses):
            self.keep(schema.type_map[name])

    def share(self, kind: GraphQLNamedType) -> None:
        """An interface's fields are asked of every type that stands behind it; behind `Node`
        stand nearly all, so there only of those that a document names."""
        if isinstance(kind, GraphQLInterfaceType):
            for member in self.schema.get_possible_types(kind):
                if kind.name == "Node" and member.name not in self.uses:
                    continue
                for name, arguments in self.uses[kind.name].items():
                    self.uses[member.name].setdefault(name, set()).update(arguments)

    def keep(self, kind: GraphQLNamedType) -> None:
        if kind.name in self.texts or is_specified_scalar_type(kind):
            return
        self.texts[kind.name] = ""  # a type may need itself
        match kind:
            case GraphQLObjectType():
                text = f"type {kind.name}{self.implements(kind)} {self.fields(kind)}"
            case GraphQLInterfaceType():
                text = f"interface {kind.name}{self.implements(kind)} {self.fields(kind)}"
            case GraphQLInputObjectType():
                inputs = sorted(kind.fields.items())
                text = f"input {kind.name} {block(self.value(n, one) for n, one in inputs)}"
            case GraphQLEnumType():
                text = f"enum {kind.name} {block(sorted(kind.values))}"
            case GraphQLScalarType():
                text = f"scalar {kind.name}"
            case _:
                raise SystemExit(f"teach this tool about {kind!r} first")
        self.texts[kind.name] = text

    def implements(self, kind: GraphQLObjectType | GraphQLInterfaceType) -> str:
        names = sorted(one.name for one in kind.interfaces if one.name in self.uses)
        return f" implements {' & '.join(names)}" if names else ""

    def fields(self, kind: GraphQLObjectType | GraphQLInterfaceType) -> str:
        used = self.uses[kind.name]
        return block(self.field(name, kind.fields[name], used[name]) for name in sorted(used))

    def field(self, name: str, field: GraphQLField, used: set[str]) -> str:
        self.keep(get_named_type(field.type))
        arguments = ", ".join(self.value(one, field.args[one]) for one in sorted(used))
        return f"{name}({arguments}): {field.type}" if arguments else f"{name}: {field.type}"

    def value(self, name: str, value: GraphQLArgument | GraphQLInputField) -> str:
        self.keep(get_named_type(value.type))
        node = value.ast_node.default_value if value.ast_node else None
        return f"{name}: {value.type}" + (f" = {print_ast(node)}" if node else "")


def block(lines: Iterable[str]) -> str:
    return "{\n" + "".join(f"  {line}\n" for line in lines) + "}"


def prune(source: str, texts: Collection[str]) -> str:
    """The part of the types in `source` that the documents need, sorted, as GraphQL."""
    # Not checked as a whole: EnterpriseOwnerInfo, which we never ask for, has one field twice.
    schema = build_ast_schema(parse(source), assume_valid=True, assume_valid_sdl=True)
    pruner = Pruner(schema, collect(schema, texts))
    body = "\n\n".join(text for _, text in sorted(pruner.texts.items())) + "\n"
    pruned = build_schema(body)
    for text in texts:
        if errors := validate(pruned, parse(text)):
            raise SystemExit(f"too much was cut: {errors[0]}")
    return body


def main(path: Path) -> None:
    texts = [text for name, text in vars(documents).items() if name.isupper()]
    body = prune(path.read_text(), texts)
    package = json.loads(path.with_name("package.json").read_text())
    OUTPUT.write_text(HEADER.format(name=package["name"], version=package["version"]) + body)
    sys.stdout.write(f"{OUTPUT.name}: {OUTPUT.stat().st_size} bytes\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
