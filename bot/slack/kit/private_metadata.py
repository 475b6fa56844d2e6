"""What dialogs and buttons carry: `private_metadata` and values with ids and a version, nothing else.

They stay on screen while a new version is installed, and messages stay for years: what an older version drew is refused politely.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.errors import UserError


@dataclass(frozen=True)
class DialogOrigin:
    """The student of a dialog, and the list it was opened from (the id of an `OpenView`).

    `is_direct`: the list opened a form itself, so that no student dialog is below it.
    """

    student_id: int
    list_id: int
    is_direct: bool = False

    @property
    def ids(self) -> dict[str, int]:
        return {"student": self.student_id, "list": self.list_id, "direct": int(self.is_direct)}

    def as_metadata(self) -> str:
        return json.dumps(self.ids)


@dataclass(frozen=True)
class DialogTarget:
    """The contact that a dialog changes, and the version it shows."""

    contact_id: int
    version: int
    origin: DialogOrigin

    def as_metadata(self) -> str:
        return json.dumps({"contact": self.contact_id, "version": self.version, **self.origin.ids})


def outdated() -> UserError:
    sentence = "Nothing was done: this is from an older version of Contact Cleanup. Close it, and type /cleanup to see the current list."
    return UserError("dialog.outdated", sentence)


@contextmanager
def refusing_older_versions() -> Iterator[None]:
    """Refuse a payload whose fields are not where this version puts them. Wrap nothing but the reading of it.

    Raises:
        UserError: an older version drew it.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError) as problem:
        raise outdated() from problem


@refusing_older_versions()
def read_origin(view: dict[str, Any]) -> DialogOrigin:
    ids = json.loads(view["private_metadata"])
    return DialogOrigin(int(ids["student"]), int(ids["list"]), bool(ids.get("direct")))


@refusing_older_versions()
def read_target(view: dict[str, Any]) -> DialogTarget:
    ids = json.loads(view["private_metadata"])
    return DialogTarget(int(ids["contact"]), int(ids["version"]), read_origin(view))


@refusing_older_versions()
def read_ids(value: str, *, count: int) -> tuple[int, ...]:
    """Return the ids of a button's value."""
    ids = tuple(map(int, value.split()))
    if len(ids) != count:
        raise ValueError(value)
    return ids
