"""The `private_metadata` of dialogs: ids and a version, nothing else."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DialogOrigin:
    """The student of a dialog, and the list it was opened from (the id of an `OpenView`)."""

    student_id: int
    list_id: int

    def as_metadata(self) -> str:
        return json.dumps({"student": self.student_id, "list": self.list_id})


@dataclass(frozen=True)
class DialogTarget:
    """The contact that a dialog changes, and the version it shows."""

    contact_id: int
    version: int
    origin: DialogOrigin

    def as_metadata(self) -> str:
        origin = self.origin
        ids = {"contact": self.contact_id, "version": self.version}
        return json.dumps({**ids, "student": origin.student_id, "list": origin.list_id})


def read_origin(view: dict[str, Any]) -> DialogOrigin:
    ids = json.loads(view["private_metadata"])
    return DialogOrigin(ids["student"], ids["list"])


def read_target(view: dict[str, Any]) -> DialogTarget:
    ids = json.loads(view["private_metadata"])
    return DialogTarget(ids["contact"], ids["version"], DialogOrigin(ids["student"], ids["list"]))
