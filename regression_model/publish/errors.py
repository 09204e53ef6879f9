"""What stops a publication."""


class NotPublished(Exception):
    """It was not published; the message says why and what to do next."""
