"""The JSON door of the panel beside the page, under `/sandbox/district`: send a mass message, run the sync, change what
the SIS holds. Long work answers at once and goes on in a thread, one piece at a time; the page asks how far it is.
"""

import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.db.session import transaction
from bot.errors import UserError, describe_error
from bot.sandbox.district import bundle
from bot.sandbox.stage import Stage
from bot.sandbox.today import Opening, last_sync, messages, opening, steps

logger = logging.getLogger(__name__)

Json = dict[str, Any]
Tell = Callable[[int, int, str], None]
Endpoint = Callable[[Request], Awaitable[Response]]

_PREFIX = "/sandbox/district"
_OUTBOX = f"{_PREFIX}/outbox"
_MOST_FOUND = 20
_LONGEST_TITLE = 120


@dataclass(frozen=True)
class Work:
    """What is under way; `total` is 0 while nobody can say how much there is to do."""

    what: str
    done: int = 0
    total: int = 0
    text: str = "Starting"


class Controls:
    """`opening` is how things stood before the newcomer came; the first steps count from there."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._one_at_a_time = threading.Lock()
        self._work: Work | None = None
        self._problem: str | None = None
        self.opening = Opening()

    def routes(self) -> list[Route]:
        return [
            Route(_PREFIX, _reading(self.today)),
            Route(f"{_PREFIX}/sis", _reading(self.held)),
            Route(_OUTBOX, _reading(lambda _asked: {"mails": self._stage.mailbox.as_json(_OUTBOX)})),
            Route(f"{_OUTBOX}/{{mail:int}}/{{place:int}}", self._attachment),
            Route(f"{_PREFIX}/send", _acting(self.send), methods=["POST"]),
            Route(f"{_PREFIX}/sync", _acting(self.sync), methods=["POST"]),
            Route(f"{_PREFIX}/sis", _acting(self.change), methods=["POST"]),
        ]

    def _attachment(self, request: Request) -> Response:
        files = self._stage.mailbox.attachments(request.path_params["mail"])
        place = request.path_params["place"]
        if place >= len(files):
            return Response(status_code=404)
        return Response(files[place][1], media_type="application/octet-stream")

    def open(self) -> None:
        """From now on, what happens is the newcomer's doing."""
        with transaction(self._stage.engine) as session:
            self.opening = opening(session, self._stage.slack)

    def today(self, _asked: Json) -> Json:
        with transaction(self._stage.engine) as session:
            return {
                "messages": messages(session),
                "last_sync": last_sync(session),
                "busy": asdict(self._work) if self._work else None,
                "problem": self._problem,
                "steps": steps(session, self._stage.slack, self.opening),
            }

    def send(self, asked: Json) -> Json:
        title = str(asked.get("title") or "").strip()
        if not 1 <= len(title) <= _LONGEST_TITLE:
            raise UserError("sandbox.title", f"Give the message a title of at most {_LONGEST_TITLE} characters.")
        return self._start("Sending a mass message", lambda tell: self._send(title, tell))

    def sync(self, _asked: Json) -> Json:
        return self._start("Running the nightly sync", self._sync)

    def held(self, asked: Json) -> Json:
        """Contacts whose name or child's name has the words of `q`."""
        found = bundle.find(self._stage.sis, asked.get("q", ""))[:_MOST_FOUND]
        contacts = [
            {"sourced_id": one.sourced_id, "name": one.name, "students": ", ".join(one.students), "phone": one.phone}
            for one in found
        ]
        return {"contacts": contacts}

    def change(self, asked: Json) -> Json:
        try:
            bundle.set_phone(self._stage.sis, str(asked.get("sourced_id")), str(asked.get("phone") or "").strip())
        except KeyError:
            raise UserError("sandbox.no_contact", "The SIS holds no such contact.") from None
        return {"ok": True}

    def _send(self, title: str, tell: Tell) -> None:
        def progress(done: int, total: int) -> None:
            text = f"{done:,} of {total:,} receipts" if done < total else "Every receipt is in; now the digest"
            tell(done, total, text)

        self._stage.send(title, progress)

    def _sync(self, tell: Tell) -> None:
        self._stage.sync(lambda step, done, total: tell(done, total, step))

    def _start(self, what: str, act: Callable[[Tell], None]) -> Json:
        if not self._one_at_a_time.acquire(blocking=False):
            under_way = self._work.what if self._work else "Something else"
            raise UserError(
                "sandbox.busy", f"{under_way} is not done yet. Wait until it is, then try again.", permanent=False
            )
        self._work, self._problem = Work(what), None
        threading.Thread(target=self._do, args=(what, act), name="sandbox-work", daemon=True).start()
        return {"ok": True}

    def _do(self, what: str, act: Callable[[Tell], None]) -> None:
        try:
            act(lambda done, total, text: setattr(self, "_work", Work(what, done, total, text)))
        except UserError as no:
            self._problem = no.sentence
        except (httpx.HTTPError, OSError) as fault:
            self._problem = f"{what} failed; the terminal says why."
            logger.error("%s: %s", what, describe_error(fault))  # noqa: TRY400 - without the values a traceback may hold.
        finally:
            self._work = None
            self._one_at_a_time.release()


def _reading(read: Callable[[Json], Json]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answer, read, dict(request.query_params))

    return endpoint


def _acting(act: Callable[[Json], Json]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, act, await request.json() if body else {})

    return endpoint


def _answer(act: Callable[[Json], Json], asked: Json) -> Response:
    try:
        return JSONResponse(act(asked))
    except UserError as no:
        return JSONResponse({"error": "refused", "text": no.sentence}, status_code=422 if no.permanent else 409)
