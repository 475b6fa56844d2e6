"""HTTP: what Slack, SMS providers and the sender of mass messages call, and what machines ask to know that we are well.

Nothing is read before its signature or token is checked, no body reaches a log, and no work runs on the event loop.
"""

import functools
import hmac
import json
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import uvicorn
from anyio import CapacityLimiter, to_thread
from slack_bolt import App, BoltRequest
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot import db, doctor, mass_messages, metrics, opt_outs, providers, receipts
from bot.batching import Batches
from bot.errors import UserError, traced
from bot.providers import calling
from bot.settings import Settings

logger = logging.getLogger(__name__)

_HOST = "0.0.0.0"  # noqa: S104 - the proxy in front of it stands on another machine.
_MEGABYTE = 1_000_000
_MASS_MESSAGE_CAP = 16 * _MEGABYTE  # About 100,000 deliveries; the same id again adds more.
_DRAIN_SECONDS = 20
_RECEIPTS_AT_ONCE = 500

Report = providers.ParsedReceipt | providers.OptOutMessage
Door = Callable[[Request], Awaitable[Response]]
Done = TypeVar("Done")


class _RefusedError(Exception):
    """An answer that is not 200: its status and one readable line; `challenge` says how whoever calls may show who they are."""

    def __init__(self, status: int, sentence: str, *, challenge: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.challenge = challenge


def serve(settings: Settings, engine: Engine, bolt: App) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what is under way (at most 20 s).

    Raises:
        UserError: the port is taken or may not be used.
    """
    try:
        socket.create_server((_HOST, settings.port)).close()
    except OSError as problem:
        raise UserError(f"Port {settings.port} cannot be used: {problem.strerror}. Set PORT to another.") from problem
    uvicorn.run(
        create(settings, engine, bolt),
        host=_HOST,
        port=settings.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


def create(settings: Settings, engine: Engine, bolt: App) -> Starlette:
    """The web application. It expects a migrated database; `/readyz` says whether it is one."""
    other_threads = CapacityLimiter(6)
    reports = Batches(functools.partial(_record, engine), most=_RECEIPTS_AT_ONCE, threads=other_threads)
    doors = _Doors(settings, engine, bolt, reports, slack_threads=CapacityLimiter(12), other_threads=other_threads)
    return Starlette(
        routes=[
            Route("/slack/events", _answering(doors.slack), methods=["POST"]),
            Route("/receipts/{provider}", _answering(doors.receipts), methods=["GET", "POST"]),
            Route("/mass-messages", _answering(doors.mass_messages), methods=["POST"]),
            Route("/opt-outs", _answering(doors.opt_outs), methods=["POST"]),
            Route("/healthz", _answering(doors.healthz)),
            Route("/readyz", _answering(doors.readyz)),
            Route("/metrics", _answering(doors.metrics)),
        ]
    )


def _answering(door: Door) -> Door:
    """A refusal says why. A fault of ours is 503, so that whoever called tries again."""

    @functools.wraps(door)
    async def answer(request: Request) -> Response:
        try:
            return await door(request)
        except _RefusedError as no:
            asked = {"WWW-Authenticate": no.challenge} if no.challenge else None
            return JSONResponse({"error": no.sentence}, no.status, asked)
        except UserError as no:
            return JSONResponse({"error": no.sentence, "field": no.field}, 422)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as fault:  # noqa: BLE001 - the last door before uvicorn, which would log the values of the error.
            logger.error("%s: %s", request.url.path, traced(fault))  # noqa: TRY400 - as above.
            return JSONResponse({"error": "This is our fault. Please send it again."}, 503)

    return answer


@dataclass(frozen=True)
class _Doors:
    """Slack has its own threads, fewer than there are database connections: a flood of receipts delays no click."""

    settings: Settings
    engine: Engine
    bolt: App
    reports: Batches[Report]
    slack_threads: CapacityLimiter
    other_threads: CapacityLimiter

    async def slack(self, request: Request) -> Response:
        secret = self.settings.slack_signing_secret
        if secret is None:
            raise _RefusedError(503, "SLACK_SIGNING_SECRET is not set, so no request can be told to be Slack's.")
        body = await _body(request, cap=_MEGABYTE)
        if not _is_from_slack(secret.get_secret_value(), request, body):
            raise _RefusedError(401, "This request is not signed by Slack, or the clock of one of us is wrong.")
        asked = _asked(request, body)
        said = await to_thread.run_sync(self.bolt.dispatch, asked, limiter=self.slack_threads)
        return Response(said.body, said.status, said.first_headers_without_set_cookie())

    async def receipts(self, request: Request) -> Response:
        name = request.path_params["provider"]
        provider = providers.BY_NAME.get(name)
        if provider is None:
            raise _RefusedError(404, f"Unknown provider. Known are: {', '.join(providers.BY_NAME)}.")
        secret = self.settings.secret(provider.SECRET)
        if secret is None:
            raise _RefusedError(
                404, f"{provider.SECRET.upper()} is not set here, so receipts of {name} cannot be checked."
            )
        body = await _body(request, cap=_MEGABYTE)
        callback = providers.Callback(self._url_called(request), dict(request.headers), body, _now())
        try:
            parsed = await self._in_thread(functools.partial(_read, provider, secret, callback))
        except providers.Refused as no:
            raise _RefusedError(no.status, f"{name}: {no}", challenge=no.challenge) from no
        await self.reports.add([one for one in parsed if not isinstance(one, providers.Handshake)])
        return await self._hands_shaken([one for one in parsed if isinstance(one, providers.Handshake)])

    async def _hands_shaken(self, handshakes: Sequence[providers.Handshake]) -> Response:
        for handshake in handshakes:
            if handshake.confirm:
                await self._in_thread(functools.partial(calling.call, handshake.confirm))
        answer = {name: value for handshake in handshakes for name, value in handshake.answer.items()}
        return JSONResponse(answer) if handshakes else Response(status_code=204)

    async def mass_messages(self, request: Request) -> Response:
        self._check_token(request)
        body = await _body(request, cap=_MASS_MESSAGE_CAP)
        counts = await self._committed(self._register, body)
        return JSONResponse(counts)

    async def opt_outs(self, request: Request) -> Response:
        self._check_token(request)
        body = await _body(request, cap=_MEGABYTE)
        counts = await self._committed(self._hear, body)
        return JSONResponse(counts)

    async def healthz(self, _request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(self, _request: Request) -> Response:
        """An old SIS is said but keeps nobody from serving: what we hold is still the best there is."""
        checks = await self._in_thread(functools.partial(doctor.ready, self.engine, now=_now()))
        is_ready = all(check.ok for check in checks if check.name != "SIS")
        said = {check.name: check.said for check in checks}
        return JSONResponse({"ready": is_ready, **said}, 200 if is_ready else 503)

    async def metrics(self, _request: Request) -> Response:
        lines = await self._in_thread(functools.partial(metrics.lines, self.engine))
        return PlainTextResponse(lines, media_type="text/plain; version=0.0.4")

    def _url_called(self, request: Request) -> str:
        """The URL as the provider wrote it, which is what it signed: a proxy in front of us may have changed it."""
        query = f"?{request.url.query}" if request.url.query else ""
        if self.settings.public_url:
            return f"{self.settings.public_url.rstrip('/')}{request.url.path}{query}"
        scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
        host = request.headers.get("x-forwarded-host", request.headers.get("host", ""))
        return f"{scheme}://{host}{request.url.path}{query}"

    def _check_token(self, request: Request) -> None:
        secret = self.settings.ingest_token
        if secret is None:
            raise _RefusedError(404, "INGEST_TOKEN is not set here, so nothing can be registered.")
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(token.encode(), secret.get_secret_value().encode()):
            raise _RefusedError(401, "Send the INGEST_TOKEN: `Authorization: Bearer ...`.", challenge="Bearer")

    def _register(self, session: Session, body: bytes, *, now: datetime) -> dict[str, int]:
        counts = mass_messages.register(
            session, _json(body), now=now, settle_after=self.settings.settle_after, region=self.settings.phone_region
        )
        return asdict(counts)

    def _hear(self, session: Session, body: bytes, *, now: datetime) -> dict[str, int]:
        return asdict(opt_outs.register(session, _json(body), now=now, region=self.settings.phone_region))

    async def _committed(self, verb: Callable[..., Done], thing: Any) -> Done:
        """Run a verb in one transaction of its own; it is committed when this returns."""

        def act() -> Done:
            with db.transaction(self.engine) as session:
                return verb(session, thing, now=_now())

        return await self._in_thread(act)

    async def _in_thread(self, act: Callable[[], Done]) -> Done:
        return await to_thread.run_sync(act, limiter=self.other_threads)


def _now() -> datetime:
    return datetime.now(UTC)


def _record(engine: Engine, reports: Sequence[Report]) -> None:
    with db.transaction(engine) as session:
        receipts.record(session, reports, now=_now())


def _read(provider: providers.Provider, secret: str, callback: providers.Callback) -> providers.Parsed:
    provider.verify(secret, callback)
    return provider.parse(callback)


async def _body(request: Request, *, cap: int) -> bytes:
    """The whole body, of which no more than `cap` bytes are ever held."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > cap:
            raise _RefusedError(413, f"More than {cap:,} bytes at once are too many.")
    return bytes(body)


def _is_from_slack(secret: str, request: Request, body: bytes) -> bool:
    """Slack's own verifier, kept from what it raises on: stamps that are no number, characters that are not ASCII."""
    stamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    if not (re.fullmatch("[0-9]{1,12}", stamp) and signature.isascii()):
        return False
    try:
        return SignatureVerifier(secret).is_valid(body, stamp, signature)
    except UnicodeDecodeError:
        return False


def _asked(request: Request, body: bytes) -> BoltRequest:
    """The request as Bolt takes it, which reads the body at once and stumbles over what is no form and no object."""
    try:
        return BoltRequest(body=body.decode(), query=str(request.query_params), headers=dict(request.headers))
    except (ValueError, AttributeError, RecursionError) as problem:
        raise _RefusedError(400, "The body is none that Slack sends.") from problem


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise UserError("The body is not JSON.") from problem
