"""What a dialog remembers in its `private_metadata`, ids and nothing else: which student and contact, from which list."""

import json
from dataclasses import dataclass
from typing import Any, Self

from bot.cleanup_list.cards import ContactCard


@dataclass(frozen=True)
class DialogOrigin:
    """Which student a dialog is of, and which list it was opened from."""

    student_id: int
    list_id: int

    def said(self) -> dict[str, int]:
        return {"student": self.student_id, "list": self.list_id}

    def as_metadata(self) -> str:
        return json.dumps(self.said())


@dataclass(frozen=True)
class DialogTarget:
    """The contact that a dialog changes, at the version that it shows."""

    contact_id: int
    version: int
    origin: DialogOrigin

    @classmethod
    def of(cls, contact: ContactCard, origin: DialogOrigin) -> Self:
        return cls(contact.contact_id, contact.version, origin)

    def as_metadata(self) -> str:
        return json.dumps({"contact": self.contact_id, "version": self.version} | self.origin.said())


def read_origin(view: dict[str, Any]) -> DialogOrigin:
    said = json.loads(view["private_metadata"])
    return DialogOrigin(said["student"], said["list"])


def read_target(view: dict[str, Any]) -> DialogTarget:
    said = json.loads(view["private_metadata"])
    return DialogTarget(said["contact"], said["version"], read_origin(view))
