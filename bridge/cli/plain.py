"""Text of others as it may be shown on a terminal. Pure."""


def plain(text: str) -> str:
    """`text` on one line, with nothing in it that moves a cursor, colours, rings a bell or turns
    the writing round: what cannot be printed is written as Python would write it."""
    return "".join(one if one.isprintable() else _spelled(one) for one in text)


def _spelled(one: str) -> str:
    return " " if one.isspace() else one.encode("unicode_escape").decode()
