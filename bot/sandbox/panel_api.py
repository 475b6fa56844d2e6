"""The JSON API of the panel beside Slack, under `/sandbox/district`: send a mass message, run the sync, change the SIS.

Long tasks are answered at once and run in a thread, one at a time; the page polls their progress. The first steps are
checked off by what happened in the workspace or the database, not by clicks in the panel.
"""

import csv
import io
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.db.models.edits import Edit, EditState
from bot.db.models.messages import Delivery, MassMessage
from bot.db.models.roster import SyncRun, SyncState
from bot.db.models.slack import DigestPost, PostState
from bot.db.session import transaction
from bot.domain.phone import parse, parse_usual
from bot.domain.sms_status import Outcome
from bot.errors import UserError, describe_error
from bot.sandbox.assembly import Sandbox
from bot.sandbox.district import schools, sis_export
from bot.sandbox.district.numbers import TextResult
from bot.sandbox.slack.models import RequestKind
from bot.slack.list.rows import OPEN_STUDENT

logger = logging.getLogger(__name__)

Json = dict[str, Any]
# Called with the receipts or rows done, their total, and a text.
ShowProgress = Callable[[int, int, str], None]

_PREFIX = "/sandbox/district"
# What a messenger writes into its report.
_REPORT_WORDS = {
    TextResult.DELIVERED: "Delivered",
    TextResult.LANDLINE: "Landline",
    TextResult.TURNED_OFF: "Turned off",
    TextResult.BLOCKED: "Blocked",
    TextResult.DISCONNECTED: "Disconnected",
    TextResult.INVALID: "Invalid number",
    TextResult.OPTED_OUT: "Opted out",
    TextResult.UNKNOWN: "Unknown",
    TextResult.FILTERED: "Not sent",
}
_OUTBOX = f"{_PREFIX}/outbox"
_MAX_FOUND = 20
_MAX_TITLE = 120


@dataclass(frozen=True)
class Task:
    """A running task; `total` is 0 while it is unknown."""

    what: str
    done: int = 0
    total: int = 0
    text: str = "Starting"


class PanelApi:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._task_lock = threading.Lock()
        self._task: Task | None = None
        self._problem: str | None = None
        self._responses_before = 0
        self._messages_before: frozenset[str] = frozenset()

    def start_counting_steps(self) -> None:
        """Ignore for the first steps what has happened until now: the demo at the start is not the user's work."""
        self._responses_before = len(self._sandbox.slack.responses)
        with transaction(self._sandbox.engine) as session:
            self._messages_before = frozenset(session.scalars(select(MassMessage.id)))

    def routes(self) -> list[Route]:
        return [
            Route(_PREFIX, _endpoint(self.today)),
            Route(f"{_PREFIX}/sis", _endpoint(self.find_contacts)),
            Route(_OUTBOX, _endpoint(self.outbox)),
            Route(f"{_OUTBOX}/{{mail:int}}/{{index:int}}", self.attachment),
            Route(f"{_PREFIX}/report.csv", self.report),
            Route(f"{_PREFIX}/send", _endpoint(self.send), methods=["POST"]),
            Route(f"{_PREFIX}/text", _endpoint(self.receive_text), methods=["POST"]),
            Route(f"{_PREFIX}/hold", _endpoint(self.hold), methods=["POST"]),
            Route(f"{_PREFIX}/restore", _endpoint(self.restore), methods=["POST"]),
            Route(f"{_PREFIX}/sync", _endpoint(self.sync), methods=["POST"]),
            Route(f"{_PREFIX}/sis", _endpoint(self.change_phone), methods=["POST"]),
        ]

    def today(self, _asked: Json) -> Json:
        with transaction(self._sandbox.engine) as session:
            return {
                "messages": _mass_messages(session),
                "last_sync": _last_sync(session),
                "task": asdict(self._task) if self._task else None,
                "problem": self._problem,
                "steps": self._steps_done(session),
            }

    def find_contacts(self, asked: Json) -> Json:
        """The contacts in the SIS whose name, or whose student's, contains the words of `q`."""
        found = sis_export.find_contacts(self._sandbox.sis, asked.get("q", ""))[:_MAX_FOUND]
        return {"contacts": [{**asdict(contact), "students": ", ".join(contact.students)} for contact in found]}

    def change_phone(self, asked: Json) -> Json:
        sourced_id, phone = str(asked.get("sourced_id")), str(asked.get("phone") or "").strip()
        try:
            sis_export.set_phone(self._sandbox.sis, sourced_id, phone)
        except KeyError:
            raise UserError("contact.not_found", "The SIS has no such contact.") from None
        return {"ok": True}

    def receive_text(self, asked: Json) -> Json:
        """Let a family text the district's number from a phone."""
        words = str(asked.get("text") or "").strip()
        if not words:
            raise UserError("text.empty", "Enter the words of the text.")
        self._sandbox.sender.receive(parse(str(asked.get("phone") or ""), "US").e164, words)
        return {"ok": True}

    def outbox(self, _asked: Json) -> Json:
        return {"mails": self._sandbox.mailbox.as_json(_OUTBOX)}

    def attachment(self, request: Request) -> Response:
        files = self._sandbox.mailbox.attachments(request.path_params["mail"])
        index = request.path_params["index"]
        if index >= len(files):
            return Response(status_code=404)
        return Response(files[index][1], media_type="application/octet-stream")

    def send(self, asked: Json) -> Json:
        title = str(asked.get("title") or "").strip()
        if not 1 <= len(title) <= _MAX_TITLE:
            raise UserError("title.length", f"Enter a title of 1 to {_MAX_TITLE} characters.")

        def send(show: ShowProgress) -> None:
            def receipts(done: int, total: int) -> None:
                text = f"{done:,} of {total:,} receipts" if done < total else "All receipts received; posting digests"
                show(done, total, text)

            self._sandbox.send(title, receipts)

        return self._start("Sending a mass message", send)

    def sync(self, _asked: Json) -> Json:
        def sync(show: ShowProgress) -> None:
            self._sandbox.sync(lambda step, done, total: show(done, total, step))

        return self._start("Running the nightly sync", sync)

    def hold(self, asked: Json) -> Json:
        """Leave the students of Lincoln Elementary out of the export, and run the sync, which is held."""
        sis_export.leave_out_school(self._sandbox.sis, schools.LINCOLN)
        return self.sync(asked)

    def restore(self, asked: Json) -> Json:
        self._sandbox.restore_sis()
        return self.sync(asked)

    def report(self, _request: Request) -> Response:
        """The delivery report of a messenger about every contact, to import: `/cleanup import`."""
        lines = io.StringIO()
        rows = csv.writer(lines)
        rows.writerow(("Name", "Phone", "Status"))
        for contact in sis_export.contacts(self._sandbox.sis):
            number = parse_usual(contact.phone, "US")
            if number:
                rows.writerow((contact.name, contact.phone, _REPORT_WORDS[self._sandbox.district.text_result(number)]))
        headers = {"Content-Disposition": 'attachment; filename="delivery-report.csv"'}
        return Response(lines.getvalue(), media_type="text/csv", headers=headers)

    def _start(self, what: str, run: Callable[[ShowProgress], None]) -> Json:
        if not self._task_lock.acquire(blocking=False):
            running = self._task.what if self._task else "Another task"
            sentence = f"{running} is still in progress. Wait until it is done, then try again."
            raise UserError("task.running", sentence, permanent=False)
        self._task, self._problem = Task(what), None
        threading.Thread(target=self._run, args=(what, run), name="sandbox-task", daemon=True).start()
        return {"ok": True}

    def _run(self, what: str, run: Callable[[ShowProgress], None]) -> None:
        def show(done: int, total: int, text: str) -> None:
            self._task = Task(what, done, total, text)

        try:
            run(show)
        except UserError as error:
            self._problem = error.sentence
        except (httpx.HTTPError, OSError) as error:
            self._problem = f"{what} failed. The terminal shows the reason."
            logger.error("%s: %s", what, describe_error(error))  # noqa: TRY400 - a traceback may contain values.
        finally:
            self._task = None
            self._task_lock.release()

    def _steps_done(self, session: Session) -> dict[str, bool]:
        """Whether a list with students was shown, a contact was edited, and the digest of a new message was posted."""
        digest = select(DigestPost.id).where(
            DigestPost.state == PostState.POSTED, DigestPost.mass_message_id.not_in(self._messages_before)
        )
        return {
            "listed": any(
                response.kind == RequestKind.COMMAND and OPEN_STUDENT in response.body
                for response in self._sandbox.slack.responses[self._responses_before :]
            ),
            "fixed": session.scalar(select(Edit.id).limit(1)) is not None,
            "sent": session.scalar(digest.limit(1)) is not None,
        }


def _mass_messages(session: Session) -> list[Json]:
    """The mass messages, newest first, with their numbers of deliveries by outcome."""
    delivered = func.count().filter(Delivery.outcome == Outcome.DELIVERED)
    pending = func.count().filter(Delivery.outcome == Outcome.PENDING)
    query = (
        select(MassMessage, func.count(Delivery.id), delivered, pending)
        .join(Delivery, isouter=True)
        .group_by(MassMessage.id)
        .order_by(MassMessage.sent_at.desc())
    )
    return [
        {
            "id": message.id,
            "title": message.title,
            "sent_at": message.sent_at.isoformat(),
            "final": message.settled_at is not None,
            "delivered": delivered_count,
            "failed": total - delivered_count - pending_count,
            "pending": pending_count,
        }
        for message, total, delivered_count, pending_count in session.execute(query)
    ]


def _last_sync(session: Session) -> Json | None:
    run = session.scalar(select(SyncRun).order_by(SyncRun.id.desc()).limit(1))
    if run is None:
        return None
    match SyncState(run.state):
        case SyncState.DONE:
            text = _sync_summary(session, run)
        case SyncState.RUNNING:
            text = "The sync is running."
        case SyncState.HELD:
            text = "The sync is held: a school lost its students. The data manager has a direct message about it."
        case SyncState.FAILED:
            text = "The sync failed. The terminal shows the reason."
    at = run.finished_at or run.started_at
    return {"at": at.isoformat(), "ok": run.state == SyncState.DONE, "text": text}


def _sync_summary(session: Session, run: SyncRun) -> str:
    def total(count: str) -> int:
        return sum(table[count] for table in run.counts.values())

    changes = ", ".join(f"{total(count):,} {count}" for count in ("added", "changed", "inactive") if total(count))
    rows = f"SIS rows: {changes}." if changes else "Nothing changed in the SIS."
    rejected = f" {total('rejected'):,} rows were rejected." if total("rejected") else ""
    labels = {
        EditState.ABSORBED: "absorbed by the SIS",
        EditState.PENDING: "not yet in the SIS",
        EditState.CONFLICT: "in conflict with the SIS",
    }
    counts = session.execute(select(Edit.state, func.count()).group_by(Edit.state)).all()
    edits = ", ".join(f"{count} {labels[EditState(state)]}" for state, count in counts if state in labels)
    return f"{rows}{rejected} {f'Edits: {edits}.' if edits else 'No edits yet.'}"


def _endpoint(handler: Callable[[Json], Json]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        asked = await request.json() if body else dict(request.query_params)
        return await run_in_threadpool(_respond, handler, asked)

    return endpoint


def _respond(handler: Callable[[Json], Json], asked: Json) -> Response:
    try:
        return JSONResponse(handler(asked))
    except UserError as error:
        status = 422 if error.permanent else 409
        return JSONResponse({"error": "refused", "text": error.sentence}, status_code=status)
