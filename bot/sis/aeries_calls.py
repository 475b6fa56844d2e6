"""HTTP calls to the API of Aeries: a certificate in each request, reads that may be repeated, and changes that are sent once.

Source: Aeries' documentation, "Aeries API - Building a Request" and "Student-related end points" (support.aeries.com).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Self

import httpx

from bot.errors import UserError
from bot.http_calls import HttpCalls, Patience, Response, System, is_busy
from bot.sis.answers import Answer, read_answer, send_change

_SYSTEM = System("sis", "SIS_AERIES_URL", "Try again later.")
# The school counts for nothing where a student is named.
_CONTACTS = "/api/v5/schools/000/contacts/{student}"
_UPDATE = "/api/v5/UpdateContact/{record}"
# The API takes no larger one. No district has given it to a student.
LARGEST_STUDENT_ID = 2**31 - 1


@dataclass(frozen=True)
class Certificate:
    """The address of a district's Aeries, such as https://district.aeries.net/aeries, and our certificate there."""

    url: str
    text: str = field(repr=False)

    @property
    def host(self) -> str:
        return httpx.URL(self.url).host


class AeriesCalls:
    """The calls of one round of writes."""

    def __init__(self, reads: HttpCalls, writes: HttpCalls, certificate: Certificate) -> None:
        self.host = certificate.host
        self._base = certificate.url.rstrip("/")
        self._reads, self._writes = reads, writes
        self._headers = {"AERIES-CERT": certificate.text}

    @classmethod
    @contextmanager
    def open(cls, certificate: Certificate, patience: Patience) -> Iterator[Self]:
        with (
            HttpCalls.open(_SYSTEM, patience) as reads,
            HttpCalls.open(_SYSTEM, replace(patience, attempts=1)) as writes,
        ):
            yield cls(reads, writes, certificate)

    def contacts(self, student: int) -> list[dict[str, Any]]:
        """Return the contacts of a student, none if Aeries has no such student.

        Raises:
            UserError: Aeries does not let us in, is down, or answers with something else.
        """
        response = self._send(self._reads, "GET", _CONTACTS.format(student=student))
        if response.status not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
            raise self._refusal(response.status)
        body = read_answer(response).body
        # The example in the documentation is one object.
        items = [body] if isinstance(body, dict) and "SequenceNumber" in body else body
        if response.status == HTTPStatus.NOT_FOUND and isinstance(body, dict) and "Message" in body:
            return []
        if response.status != HTTPStatus.OK or not isinstance(items, list):
            raise self._unknown_answer()
        return [item for item in items if isinstance(item, dict)]

    def update(self, record: str, changes: dict[str, str]) -> Answer:
        """Change fields of a contact ("student ID/sequence number"); the others stay as they are.

        Raises:
            UnclearWrite: they may have been changed.
            UserError: they were not, because Aeries does not let us in or asks us to wait.
        """
        send = partial(self._send, self._writes, "POST", _UPDATE.format(record=record), json=changes)
        return send_change(self.host, send, self._refusal)

    def probe(self) -> str:
        """Return what `doctor` says of the certificate.

        Raises:
            UserError: Aeries does not accept it, or does not answer.
        """
        self.contacts(LARGEST_STUDENT_ID)
        return "lets us read contacts. Whether it lets us change their phones shows at the first change"

    def _send(self, http: HttpCalls, method: str, path: str, **options: Any) -> Response:
        return http.send(method, httpx.URL(f"{self._base}{path}"), headers=self._headers, **options)

    def _unknown_answer(self) -> UserError:
        sentence = (
            f"{self.host} does not answer as Aeries does when asked for contacts. Check SIS_AERIES_URL: the address of the "
            "login page without its last part, such as https://district.aeries.net/aeries."
        )
        return _SYSTEM.error("unknown_answer", sentence, permanent=False)

    def _refusal(self, status: int) -> UserError:
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return _SYSTEM.error(
                "forbidden",
                f"{self.host} does not accept our certificate for contacts ({status}). Check SIS_AERIES_CERTIFICATE, and in "
                "Security > API Security that it has Contacts with Read and Update.",
            )
        return _SYSTEM.error(
            "refused",
            f"{self.host} answers {status} when asked for contacts. Try again later, or ask the people who run it.",
            permanent=not is_busy(status),
        )
