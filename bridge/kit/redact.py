"""Nothing that we quote from a neighbour may carry a credential."""

import re

USERINFO = re.compile(r"//[^/\s@]+@")


def without_userinfo(text: str) -> str:
    """`text` with user and password taken out of every address: pip prints a token that stands as
    the user name in clear."""
    return USERINFO.sub("//…@", text)
