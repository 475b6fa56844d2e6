"""`PUT /results`: the report of a messenger, as its file; and `DELETE /results/{id}`, which undoes its import.

    PUT /results?title=Snow+day&sent_at=2026-11-23T15:04:05Z&messenger=parentsquare&word=Invalid=landline

`message` is the id of a registered message, instead of `title` and `sent_at`; `preview=true` counts nothing. `name`, `provider`, `word`,
and `column` are optional, and the last two may be repeated.
"""

from collections.abc import Mapping
from typing import Any

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.app import utc_now
from bot.db.session import INGEST, transaction
from bot.mass_messages import payload, report_import
from bot.mass_messages.report_choices import parse_columns, parse_words
from bot.mass_messages.report_file import MAX_BYTES
from bot.mass_messages.report_import import FileImport
from bot.mass_messages.report_preview import ReportFile
from bot.mass_messages.report_undo import undo_import
from bot.settings import Settings
from bot.web.ingest import check_token
from bot.web.refusals import RefusalCounter
from bot.web.responses import Endpoint, read_body

_ACTOR = "PUT /results"
_LARGEST_ID = 2**63 - 1  # Of a row; a larger number is no import either.


def results_endpoint(
    settings: Settings, engine: Engine, threads: CapacityLimiter, refusals: RefusalCounter
) -> Endpoint:
    def import_file(content: bytes, query: QueryParams) -> dict[str, Any]:
        now = utc_now()
        provider = query.get("provider")
        name = query.get("name") or "The report"
        file = ReportFile(name, content, query.get("messenger"), provider and provider.lower())
        words, columns = parse_words(query.getlist("word")), parse_columns(query.getlist("column"))
        sent_at = payload.timestamp(query, "sent_at", now=now) if "sent_at" in query else None
        is_preview = query.get("preview", "").lower() in {"1", "true"}
        with transaction(engine, limits=INGEST) as session:
            title, identity = query.get("title"), query.get("message")
            message = None if is_preview else report_import.find_message(session, identity, title, sent_at)
            result = report_import.import_file(
                session,
                file,
                message,
                words=words,
                columns=columns,
                actor=_ACTOR,
                now=now,
                settle_after=settings.settle_after,
                region=settings.phone_region,
            )
        return _as_json(result)

    async def endpoint(request: Request) -> Response:
        check_token(settings, request, refusals)
        content = await read_body(request, max_bytes=MAX_BYTES)
        return JSONResponse(await to_thread.run_sync(import_file, content, request.query_params, limiter=threads))

    return endpoint


def _as_json(result: FileImport) -> dict[str, Any]:
    preview, done = result.preview, result.done
    report = preview.report
    messenger = report.layout.messenger
    counts: Mapping[str, Any] = {"import": done.id, "added": done.added, "already": done.already} if done else {}
    return {
        **counts,
        "messenger": messenger.key if messenger else None,
        "read": report.read,
        "delivered": preview.delivered,
        "not_delivered": preview.not_delivered,
        "facts": preview.facts(),
        "unknown_words": dict(report.unknown),
        "unclear": [{"line": problem.line, "reason": problem.reason} for problem in preview.problems],
    }


def undo_endpoint(settings: Settings, engine: Engine, threads: CapacityLimiter, refusals: RefusalCounter) -> Endpoint:
    def undo(import_id: int) -> None:
        with transaction(engine, limits=INGEST) as session:
            undo_import(session, import_id, actor=_ACTOR, now=utc_now())

    async def endpoint(request: Request) -> Response:
        check_token(settings, request, refusals)
        await to_thread.run_sync(undo, min(request.path_params["id"], _LARGEST_ID), limiter=threads)
        return Response(status_code=204)

    return endpoint
