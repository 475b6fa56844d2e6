"""What a dialog remembers in its `private_metadata`, ids and nothing else: which student and contact, from which list."""

import json
from dataclasses import dataclass
from typing import Any, Self

from bot.cleanup_list import ContactCard


@dataclass(frozen=True)
class Origin:
    """Which student a dialog is of, and which list it was opened from."""

    student_id: int
    list_id: int

    def said(self) -> dict[str, int]:
        return {"student": self.student_id, "list": self.list_id}

    def as_metadata(self) -> str:
        return json.dumps(self.said())


@dataclass(frozen=True)
class Target:
    """The contact that a dialog changes, at the version that it shows."""

    contact_id: int
    version: int
    origin: Origin

    @classmethod
    def of(cls, contact: ContactCard, origin: Origin) -> Self:
        return cls(contact.contact_id, contact.version, origin)

    def as_metadata(self) -> str:
        return json.dumps({"contact": self.contact_id, "version": self.version} | self.origin.said())


def origin_of(view: dict[str, Any]) -> Origin:
    said = json.loads(view["private_metadata"])
    return Origin(said["student"], said["list"])


def target_of(view: dict[str, Any]) -> Target:
    said = json.loads(view["private_metadata"])
    return Target(said["contact"], said["version"], origin_of(view))
