"""Numbers with their nouns."""


def plural(count: int, singular: str, many: str | None = None) -> str:
    """Return `1 student` or `1,204 students`; `many` is the plural where adding an s is not enough."""
    return f"{count:,} {singular if count == 1 else many or singular + 's'}"
