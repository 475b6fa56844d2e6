"""A row of OneRoster's JSON, of either version, as the cells that the CSV of the same row would have.

What is missing or null is blank. A value of another shape than OneRoster's makes the row none; it is never guessed at.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bot.sis import cells
from bot.sis.oneroster_columns import COLUMNS
from bot.sis.rows import Kind


class Misshapen(ValueError):  # noqa: N818 (It says what the value is.)
    """A value of the wrong shape in `field`."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def asked(kind: Kind) -> frozenset[str]:
    """The fields of an object that a roster needs; a person's roles are among them."""
    more = {"roles"} if kind is Kind.USERS else set()
    return frozenset({_field(column) for column in COLUMNS[kind]} | more)


def cells_of(kind: Kind, found: Mapping[str, Any]) -> dict[str, str]:
    """Raises:
    Misshapen: naming the first field that cannot be read.
    """
    return {column: _cell(column, found) for column in COLUMNS[kind]}


def identity(found: Mapping[str, Any]) -> str:
    """Whose a row is that cannot be read, or blank."""
    try:
        return _cell("sourcedId", found)
    except Misshapen:
        return ""


def roles_of(found: Mapping[str, Any], person: str) -> list[dict[str, str]]:
    """The roles of a person of 1.2, as the cells of roles.csv.

    Raises:
        Misshapen: they are no list of roles.
    """
    said = found.get("roles") or []
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise Misshapen("roles")
    try:
        return [cells_of(Kind.ROLES, one) | {"userSourcedId": person} for one in said]
    except Misshapen as wrong:
        raise Misshapen(f"roles.{wrong.field}") from None


def _field(column: str) -> str:
    return _OTHERWISE[column][0] if column in _OTHERWISE else column


def _cell(column: str, found: Mapping[str, Any]) -> str:
    field, read = _OTHERWISE.get(column, (column, _plain))
    value = found.get(field)
    try:
        return "" if value is None else read(value)
    except ValueError:
        raise Misshapen(field) from None


def _plain(value: Any) -> str:
    """`enabledUser` is a string in 1.1 and a boolean in 1.2; identifiers are numbers on some servers."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON can write half a character, which no text holds.
        return cells.tidy(value.encode("utf-8", "replace").decode())
    if isinstance(value, int | float):
        return str(value)
    raise ValueError


def _plain_list(value: Any) -> str:
    return ",".join(map(_plain, value)) if isinstance(value, list) else _plain(value)


def _reference(value: Any) -> str:
    """`{href, sourcedId, type}`."""
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 - a shape is wrong, whatever it is.
    identity = _plain(value.get("sourcedId", ""))
    if "," in identity:
        raise ValueError
    return identity


def _references(value: Any) -> str:
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 - as above.
    return ",".join(filter(None, map(_reference, value)))


_OTHERWISE: dict[str, tuple[str, Callable[[Any], str]]] = {
    "parentSourcedId": ("parent", _reference),
    "schoolSourcedId": ("school", _reference),
    "termSourcedIds": ("terms", _references),
    "agentSourcedIds": ("agents", _references),
    "orgSourcedIds": ("orgs", _references),
    "orgSourcedId": ("org", _reference),
    "primaryOrgSourcedId": ("primaryOrg", _reference),
    "classSourcedId": ("class", _reference),
    "userSourcedId": ("user", _reference),
    "grades": ("grades", _plain_list),
}
"""The columns of the CSV that JSON names and shapes in its own way."""
