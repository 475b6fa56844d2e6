"""The HTTP request with which a provider calls us, read without trust: whatever it holds, the answer is a value or `Refused`."""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlsplit

from bot.providers.receipt import BadSignature, Malformed, NoPassword

_MOST_FIELDS = 100


@dataclass(frozen=True)
class Callback:
    """`url` is the full one that was called, with its query; names of `headers` are in lower case; `at` is when it came."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    @property
    def is_json(self) -> bool:
        return "json" in self.header("content-type").lower() or self.body.lstrip()[:1] in {b"{", b"["}

    def parts(self) -> SplitResult:
        """The URL in its parts.

        Raises:
            Malformed: it is none; its host is whatever the caller wrote there.
        """
        try:
            return urlsplit(self.url)
        except ValueError as problem:
            raise Malformed("the URL cannot be read") from problem

    def query(self, name: str) -> str:
        return parse_qs(self.parts().query).get(name, [""])[0]

    def form(self) -> list[tuple[str, str]]:
        """The fields of a form, as they came.

        Raises:
            Malformed: the body is not one.
        """
        try:
            return parse_qsl(self.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
        except ValueError as problem:
            raise Malformed("the body is not a form") from problem

    def json(self) -> Any:
        """The JSON of the body.

        Raises:
            Malformed: the body is not JSON in UTF-8.
        """
        try:
            return json.loads(self.body.decode())
        except (ValueError, RecursionError) as problem:
            raise Malformed("the body is not JSON") from problem

    def json_object(self) -> dict[str, Any]:
        """As above, where it has to be one object.

        Raises:
            Malformed: the body is not a JSON object in UTF-8.
        """
        read = self.json()
        if not isinstance(read, dict):
            raise Malformed("the body is not an object")
        return read


def member(thing: Any, *path: str | int) -> Any:
    """What stands in JSON at `path` (names, places in a list); None where there is no such thing."""
    for step in path:
        if isinstance(step, str) and isinstance(thing, dict):
            thing = thing.get(step)
        elif isinstance(step, int) and isinstance(thing, list) and step < len(thing):
            thing = thing[step]
        else:
            return None
    return thing


def said(value: Any) -> str:
    """A text or number as text without space around it; anything else is empty."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def word(value: Any, name: str) -> str:
    """A value that is stored and logged: up to 64 letters, digits, `_`, `-`, `.`, `:` and `+`, or nothing.

    Raises:
        Malformed: it holds something else.
    """
    text = said(value)
    if not re.fullmatch(r"[A-Za-z0-9_.:+-]{0,64}", text):
        raise Malformed(f"{name} is not a word")
    return text


def needed(value: Any, name: str) -> str:
    """A word that must be there.

    Raises:
        Malformed: it is missing, or not a word.
    """
    text = word(value, name)
    if not text:
        raise Malformed(f"no {name}")
    return text


def e164(value: Any) -> str | None:
    """A number in full international form, which some providers write without its `+`; None for all else."""
    digits = said(value).removeprefix("+")
    return f"+{digits}" if re.fullmatch(r"[1-9][0-9]{6,14}", digits) else None


def moment(value: Any) -> datetime | None:
    """An ISO 8601 time as UTC, which it is taken for if it names no zone; None for what is not one."""
    try:
        read = datetime.fromisoformat(said(value))
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def same(given: str | bytes, expected: str | bytes) -> bool:
    """Whether two secrets are the same, in a time that tells nothing of them."""
    return hmac.compare_digest(_bytes(given), _bytes(expected))


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


def check_basic(secret: str, callback: Callback) -> None:
    """HTTP Basic against `user:password`, for providers that sign nothing.

    Raises:
        NoPassword: it was not given, or is another one.
    """
    kind, _, given = callback.header("authorization").partition(" ")
    if kind.lower() != "basic" or not secret or not same(_decoded(given), secret):
        raise NoPassword("the user or password does not fit")


def _decoded(given: str) -> bytes:
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return b""


def check_age(stamp: str, callback: Callback, *, tolerance: timedelta = timedelta(minutes=5)) -> None:
    """A signed time (Unix seconds) near ours, so that a request that somebody recorded cannot be sent again later.

    Raises:
        BadSignature: it is too old, too new, or no time at all.
    """
    if not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise BadSignature("no time was signed")
    if abs(callback.at.timestamp() - int(stamp)) > tolerance.total_seconds():
        raise BadSignature("it was signed too long ago, or a clock is wrong")
