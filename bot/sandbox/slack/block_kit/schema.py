"""Checks for one piece of Block Kit, which combine into larger checks. A check reports problems and never raises, so that
one pass over a broken dialog names everything that is wrong, as Slack's `response_metadata` does.
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


def string(maximum: int, *, minimum: int = 1, pattern: str | None = None) -> Check:
    """A string of `minimum` to `maximum` characters that matches `pattern` as a whole."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(pointer, "must be a string")
        elif len(value) < minimum:
            yield Problem(pointer, f"must be more than {minimum - 1} characters")
        elif len(value) > maximum:
            yield Problem(pointer, f"must be less than {maximum + 1} characters")
        elif pattern and not re.fullmatch(pattern, value):
            yield Problem(pointer, f"does not match pattern: {pattern}")

    return check


def url() -> Check:
    return string(3000, pattern=r"(https?|mailto|tel|slack)://?[^\s]+|(mailto|tel):[^\s]+")


def boolean(value: Any, pointer: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield Problem(pointer, "must be a boolean")


def number(value: Any, pointer: str) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Problem(pointer, "must be a number")


def integer(minimum: int, maximum: int) -> Check:
    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield Problem(pointer, "must be an integer")
        elif not minimum <= value <= maximum:
            yield Problem(pointer, f"must be between {minimum} and {maximum}")

    return check


def one_of(*allowed: Any) -> Check:
    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if value not in allowed:
            yield Problem(pointer, f"value must be one of: {', '.join(map(str, allowed))}")

    return check


def array(check: Check, minimum: int, maximum: int) -> Check:
    """A list of `minimum` to `maximum` values that each pass `check`."""

    def check_all(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(pointer, "must be an array")
            return
        if len(value) < minimum:
            yield Problem(pointer, f"no fewer than {minimum} items allowed")
        if len(value) > maximum:
            yield Problem(pointer, f"no more than {maximum} items allowed")
        for index, item in enumerate(value):
            yield from check(item, f"{pointer}/{index}")

    return check_all


def shape(required: Mapping[str, Check], optional: Mapping[str, Check], *rules: Check) -> Check:
    """An object with these fields and no others. `rules` check the whole object once each of its fields is valid."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(pointer, "must provide an object")
            return
        fields = {**required, **optional}
        problems = [Problem(pointer, f"missing required field: {name}") for name in required if name not in value]
        unknown = [name for name in value if name not in fields and name != "type"]
        problems.extend(Problem(pointer, f"invalid additional property: {name}") for name in unknown)
        for name, field in fields.items():
            if name in value:
                problems.extend(field(value[name], f"{pointer}/{name}"))
        yield from problems
        if not problems:
            for rule in rules:
                yield from rule(value, pointer)

    return check


def any_object(value: Any, pointer: str) -> Iterator[Problem]:
    """An object whose fields are not checked."""
    if not isinstance(value, dict):
        yield Problem(pointer, "must provide an object")


def by_type(checks: Mapping[str, Check]) -> Check:
    """An object whose `type` selects the check."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(pointer, "must provide an object")
        elif "type" not in value:
            yield Problem(pointer, "missing required field: type")
        elif value["type"] not in checks:
            yield Problem(f"{pointer}/type", f"unsupported type: {value['type']}")
        else:
            yield from checks[value["type"]](value, pointer)

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
    """The bound `low` is at most the bound `high`; number inputs write their bounds as strings."""

    def rule(value: Any, pointer: str) -> Iterator[Problem]:
        if low in value and high in value and float(value[low]) > float(value[high]):
            yield Problem(f"{pointer}/{low}", f"must not be greater than {high}")

    return rule


def unique(items: list[Any], pointer: str, name: str) -> Iterator[Problem]:
    """No two of the objects have the same value of `name`."""
    seen: set[Any] = set()
    for index, item in enumerate(items):
        if item[name] in seen:
            yield Problem(f"{pointer}/{index}/{name}", f"`{name}` already exists: {item[name]}")
        seen.add(item[name])
