"""What dialogs and buttons carry: `private_metadata` and values with ids and a version, nothing else; and what was entered in a dialog.

They stay on screen while a new version is installed, and messages stay for years: what an older version drew is refused politely.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.errors import UserError
from bot.slack.kit.blocks import VALUE


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


def read_inputs(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was entered in a dialog, by block id: a text, a value, a list of values, a day (ISO 8601), a time (Unix seconds), or
    files; None for nothing. To be read inside `refusing_older_versions`.
    """
    blocks = view["state"]["values"].items()
    return {block_id: _entered(inputs[VALUE]) for block_id, inputs in blocks if VALUE in inputs}


def _entered(element: Mapping[str, Any]) -> Any:
    match element:
        case {"selected_option": option}:
            return option and option["value"]
        case {"selected_options": options}:
            return [option["value"] for option in options or ()]
    fields = ("value", "selected_date", "selected_date_time", "files")
    return next((element[field] for field in fields if field in element), None)
