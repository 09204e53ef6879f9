"""GitHub's Markdown as a page: tables, and of HTML only what folds; nothing else gets through."""

import re
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
FOLDS = re.compile(r"&lt;(/?(?:details|summary))&gt;")


def html_of(text: str) -> str:
    """What GitHub would show; a comment is not shown, and unknown HTML is shown as it was typed."""
    return str(_parser().render(text))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.add_render_rule("html_block", _html)
    parser.add_render_rule("html_inline", _html)
    return parser


def _html(
    self: RendererHTML, tokens: list[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    return FOLDS.sub(r"<\1>", escape(COMMENT.sub("", tokens[at].content)))
