"""Numbers with their nouns, as people write them."""


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return `1 student` or `1,204 students`; `many` is the plural where adding an s is not enough."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
