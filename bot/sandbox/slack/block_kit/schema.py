"""What a piece of Block Kit may look like, as small checks that are put together. A check reports; it never raises, so
one look at a broken dialog names everything that is wrong with it, the way Slack's `response_metadata` does.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One reason why Slack would refuse; `pointer` is the JSON pointer of the offending value."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"[ERROR] {self.message} [json-pointer:{self.pointer}]"


Check = Callable[[Any, str], Iterator[Problem]]


def anything(value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ARG001
    yield from ()


def string(most: int, *, least: int = 1, pattern: str | None = None) -> Check:
    """A string of `least` to `most` characters that matches `pattern` as a whole."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(pointer, "must be a string")
        elif len(value) < least:
            yield Problem(pointer, f"must be more than {least - 1} characters")
        elif len(value) > most:
            yield Problem(pointer, f"must be less than {most + 1} characters")
        elif pattern and not re.fullmatch(pattern, value):
            yield Problem(pointer, f"does not match pattern: {pattern}")

    return check


def url(most: int = 3000) -> Check:
    return string(most, pattern=r"(https?|mailto|tel|slack)://?[^\s]+|(mailto|tel):[^\s]+")


def boolean(value: Any, pointer: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield Problem(pointer, "must be a boolean")


def integer(least: int, most: int) -> Check:
    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield Problem(pointer, "must be an integer")
        elif not least <= value <= most:
            yield Problem(pointer, f"must be between {least} and {most}")

    return check


def one_of(*allowed: Any) -> Check:
    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if value not in allowed:
            yield Problem(pointer, f"value must be one of: {', '.join(map(str, allowed))}")

    return check


def array(check: Check, least: int, most: int) -> Check:
    """A list of `least` to `most` values that each pass `check`."""

    def check_all(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(pointer, "must be an array")
            return
        if len(value) < least:
            yield Problem(pointer, f"no fewer than {least} items allowed")
        if len(value) > most:
            yield Problem(pointer, f"no more than {most} items allowed")
        for index, item in enumerate(value):
            yield from check(item, f"{pointer}/{index}")

    return check_all


def shape(required: Mapping[str, Check], optional: Mapping[str, Check], *rules: Check, closed: bool = True) -> Check:
    """An object with these fields; `closed` refuses any other. `rules` see the whole object once its fields are sound."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(pointer, "must provide an object")
            return
        found = [
            *_missing(value, pointer, required),
            *_unknown(value, pointer, {**required, **optional}, closed=closed),
        ]
        for name, field in {**required, **optional}.items():
            if name in value:
                found.extend(field(value[name], f"{pointer}/{name}"))
        yield from found
        if not found:
            for rule in rules:
                yield from rule(value, pointer)

    return check


def _missing(value: dict[str, Any], pointer: str, required: Mapping[str, Check]) -> Iterator[Problem]:
    for name in required:
        if name not in value:
            yield Problem(pointer, f"missing required field: {name}")


def _unknown(value: dict[str, Any], pointer: str, known: Mapping[str, Check], *, closed: bool) -> Iterator[Problem]:
    for name in value:
        if closed and name not in known and name != "type":
            yield Problem(pointer, f"invalid additional property: {name}")


def by_type(table: Mapping[str, Check]) -> Check:
    """An object whose `type` chooses the check."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(pointer, "must provide an object")
        elif "type" not in value:
            yield Problem(pointer, "missing required field: type")
        elif value["type"] not in table:
            yield Problem(f"{pointer}/type", f"unsupported type: {value['type']}")
        else:
            yield from table[value["type"]](value, pointer)

    return check


def exactly_one(*names: str) -> Check:
    def rule(value: Any, pointer: str) -> Iterator[Problem]:
        if sum(name in value for name in names) != 1:
            yield Problem(pointer, f"must have exactly one of: {', '.join(names)}")

    return rule


def at_least_one(*names: str) -> Check:
    def rule(value: Any, pointer: str) -> Iterator[Problem]:
        if not any(name in value for name in names):
            yield Problem(pointer, f"must have at least one of: {', '.join(names)}")

    return rule


def in_order(low: str, high: str) -> Check:
    """The bound named `low` is not above the one named `high`; bounds may be numbers or, as in number inputs, strings."""

    def rule(value: Any, pointer: str) -> Iterator[Problem]:
        if low in value and high in value and float(value[low]) > float(value[high]):
            yield Problem(f"{pointer}/{low}", f"must not be greater than {high}")

    return rule


def unique(items: list[Any], pointer: str, name: str) -> Iterator[Problem]:
    """No two of the objects share the value of `name`."""
    seen: set[Any] = set()
    for index, item in enumerate(items):
        if item[name] in seen:
            yield Problem(f"{pointer}/{index}/{name}", f"`{name}` already exists: {item[name]}")
        seen.add(item[name])
