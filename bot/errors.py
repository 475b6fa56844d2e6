"""The error whose sentence people read, and a description of any other error that is safe to log."""

import traceback
from itertools import islice
from pathlib import Path


class UserError(Exception):
    """A sentence for the person who asked: what is wrong and how to fix it.

    `code` is `noun.problem`, for tests and logs. `field` names the input that the sentence belongs to (a dialog shows it there).
    `permanent` is False where trying again may help. Any other exception is a bug and is answered with a reference id.
    """

    def __init__(self, code: str, sentence: str, *, field: str | None = None, permanent: bool = True) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.field = field
        self.permanent = permanent


def describe_error(error: BaseException) -> str:
    """Return the type and the places of an error, innermost first, for logs. Its message is left out: it may hold a name or a number."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in islice(frames, 8))
    return f"{type(error).__name__} at {places or 'an unknown place'}"
