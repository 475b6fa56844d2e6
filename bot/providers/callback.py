"""The HTTP request with which a provider calls us. It is untrusted input: reading it returns a value or raises `Refused`."""

import base64
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlsplit

from bot.domain import phone
from bot.providers.receipt import BadSignature, Malformed, NoPassword

_MAX_FIELDS = 100


@dataclass(frozen=True)
class Callback:
    """A request. `url` is the full URL with its query; header names are lower case; `at` is when the request arrived.

    `other_urls` are further spellings of the URL, which a proxy may have rewritten. Methods that parse it raise `Malformed`.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    other_urls: Sequence[str] = ()

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    @property
    def is_json(self) -> bool:
        return "json" in self.header("content-type").lower() or self.body.lstrip()[:1] in {b"{", b"["}

    def split_url(self) -> SplitResult:
        """Return the parts of the URL, whose host the caller may have made up."""
        try:
            return urlsplit(self.url)
        except ValueError as problem:
            raise Malformed("the URL cannot be read") from problem

    def signed_urls(self) -> Iterator[str]:
        """Yield every spelling of the URL that the provider may have signed: each also without its port, and with one."""
        self.split_url()
        for url in (self.url, *self.other_urls):
            yield url
            yield from _with_other_ports(url)

    def query(self, name: str) -> str:
        return parse_qs(self.split_url().query).get(name, [""])[0]

    def form(self) -> list[tuple[str, str]]:
        """Return the fields of a form in UTF-8, in their order."""
        try:
            return parse_qsl(self.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
        except ValueError as problem:
            raise Malformed("the body is not a form") from problem

    def json(self) -> Any:
        """Return the body, parsed as JSON in UTF-8."""
        try:
            return json.loads(self.body.decode())
        except (ValueError, RecursionError) as problem:
            raise Malformed("the body is not JSON") from problem

    def json_object(self) -> dict[str, Any]:
        """Return the body, which has to be a JSON object."""
        value = self.json()
        if not isinstance(value, dict):
            raise Malformed("the body is not an object")
        return value


def _with_other_ports(url: str) -> Iterator[str]:
    """Yield the URL without its port and with one: a signer, a proxy, or a client may leave out the default port or add it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return
    host = parts.netloc.removesuffix(f":{port}") if port else parts.netloc
    default_port = 443 if parts.scheme == "https" else 80
    yield parts._replace(netloc=host).geturl()
    yield parts._replace(netloc=f"{host}:{port or default_port}").geturl()


def field(value: Any, *path: str | int) -> Any:
    """Return what JSON holds at `path` (keys and list indexes), or None if there is no such field."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def as_text(value: Any) -> str:
    """Return a text or number as trimmed text, and "" for anything else."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def token(value: Any, name: str) -> str:
    """Return an id, code, or status that is safe to store and log: up to 64 letters, digits, and `_ - . : +`; may be "".

    Raises:
        Malformed: it contains anything else.
    """
    text = as_text(value)
    if not re.fullmatch(r"[A-Za-z0-9_.:+-]{0,64}", text):
        raise Malformed(f"{name} has unexpected characters")
    return text


def required_token(value: Any, name: str) -> str:
    """Return a `token` that is not empty.

    Raises:
        Malformed: it is missing or contains unexpected characters.
    """
    text = token(value, name)
    if not text:
        raise Malformed(f"no {name}")
    return text


def e164(value: Any) -> str | None:
    """Return an international number as E.164 in its one form, or None; some providers leave out its `+`, or set signs between."""
    text = as_text(value)
    digits = re.sub(r"[\s().-]", "", text.removeprefix("+")) if text.startswith("+") else text
    return phone.canonical(f"+{digits}") if re.fullmatch(r"[1-9][0-9]{6,14}", digits) else None


def timestamp(value: Any) -> datetime | None:
    """Return an ISO 8601 time as UTC, or None. A time without a zone is taken as UTC."""
    try:
        time = datetime.fromisoformat(as_text(value))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_same(given: str | bytes, expected: str | bytes) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(_bytes(given), _bytes(expected))


def is_any(given: Iterable[str], expected: str | bytes) -> bool:
    """Compare several secrets with one; the time taken does not show which one matched."""
    return any([is_same(secret, expected) for secret in given])  # noqa: C419 (A generator would stop at the first match.)


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


def decode_base64(text: str) -> bytes:
    """Return the bytes of a base64 text, or b"" if it is not one."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def check_basic_auth(secret: str, callback: Callback) -> None:
    """Check HTTP Basic authentication against `user:password`, for providers that sign nothing.

    Raises:
        NoPassword: it is missing or wrong.
    """
    if not callback.header("authorization"):
        raise NoPassword(NoPassword.MISSING)
    kind, _, credentials = callback.header("authorization").partition(" ")
    if kind.lower() != "basic" or not secret or not is_same(decode_base64(credentials), secret):
        raise NoPassword("wrong user or password")


def check_age(stamp: str, callback: Callback, *, tolerance: timedelta = timedelta(minutes=5)) -> None:
    """Check that a signed time (Unix seconds) is near ours, so that a recorded request cannot be replayed later.

    Raises:
        BadSignature: it is too old, too new, or not a time.
    """
    if not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise BadSignature("no time was signed")
    if abs(callback.at.timestamp() - int(stamp)) > tolerance.total_seconds():
        raise BadSignature("it was signed too long ago, or a clock is wrong")
