"""The one error whose text people see. Anything else that is raised is a bug and is answered with a reference id."""

import traceback
from itertools import islice
from pathlib import Path


class UserError(Exception):
    """A sentence for the person who asked, saying what is wrong and how to fix it, and its code, `noun.problem`, for tests and logs.

    `field` names the input it belongs to (a dialog shows it there); `permanent` is False where trying again may help.
    """

    def __init__(self, code: str, sentence: str, *, field: str | None = None, permanent: bool = True) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.field = field
        self.permanent = permanent


def describe_error(error: BaseException) -> str:
    """What went wrong and where, innermost first, for logs. Without the message of the error: it may hold a name or a number."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in islice(frames, 8))
    return f"{type(error).__name__} at {places or 'an unknown place'}"
