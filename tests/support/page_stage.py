"""The page on a port: the real little Slack with a small Bolt app, and a district that is a few values in memory.

The district's own door is tested where it lives; here it only has to answer as that one does.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from support.tiny_bolt_app import MANIFEST, asgi, bolt_app

from bot.sandbox.slack import deliver, doors, serving
from bot.sandbox.slack.workspace import Workspace

PAGE = Path(__file__).parents[2] / "bot" / "sandbox" / "page"
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SENT_AT = "2026-11-20T15:00:00+00:00"


def message(title, **counts):
    outcome = {"delivered": 512, "failed": 61, "pending": 0, **counts}
    return {"id": title, "title": title, "sent_at": SENT_AT, "settled": outcome["pending"] == 0, **outcome}


@dataclass
class District:
    """What the panel asks for; a test changes it as the district would change."""

    messages: list = field(default_factory=lambda: [message("Welcome back")])
    busy: dict | None = None
    problem: str | None = None
    steps: dict = field(default_factory=lambda: {"listed": False, "fixed": False, "sent": False})
    phones: dict = field(default_factory=lambda: {"p-1": "+13125550142"})
    titles: list = field(default_factory=list)

    def routes(self):
        return [
            Route("/sandbox/district", lambda _: JSONResponse(self.today())),
            Route("/sandbox/district/send", self.send, methods=["POST"]),
            Route("/sandbox/district/sync", self.sync, methods=["POST"]),
            Route("/sandbox/district/sis", self.found),
            Route("/sandbox/district/sis", self.change, methods=["POST"]),
            Route("/sandbox/district/outbox", lambda _: JSONResponse({"mails": []})),
        ]

    def today(self):
        last = {"at": SENT_AT, "ok": True, "text": "612 students read."}
        return {
            "messages": self.messages,
            "last_sync": last,
            "busy": self.busy,
            "problem": self.problem,
            "steps": self.steps,
        }

    async def send(self, request):
        self.titles.append((await request.json())["title"])
        self.busy = {"what": "Sending a mass message", "done": 120, "total": 560, "text": "120 of 560 receipts"}
        return JSONResponse({"ok": True})

    def arrive(self):
        """Every receipt is in."""
        self.messages.append(message(self.titles[-1]))
        self.busy, self.steps = None, {**self.steps, "sent": True}

    async def sync(self, _request):
        self.problem = "The sync stopped before writing: too many would vanish."
        return JSONResponse({"ok": True})

    async def found(self, request):
        asked = request.query_params["q"].lower()
        rosa = {"sourced_id": "p-1", "name": "Rosa Hernández", "students": "Ava, Mateo", "phone": self.phones["p-1"]}
        return JSONResponse({"contacts": [rosa] if asked in "rosa hernández" else []})

    async def change(self, request):
        asked = await request.json()
        if len(asked["phone"]) < 10:
            return JSONResponse({"error": "refused", "text": "That is too short for a number."}, status_code=422)
        self.phones[asked["sourced_id"]] = asked["phone"]
        return JSONResponse({"ok": True})


@dataclass
class Stage:
    url: str
    slack: Workspace
    api_url: str
    district: District
    heard: list
    family_texts: str


@contextmanager
def opened():
    """Two people of one school, a channel of both, one of Dana alone, and the app."""
    slack, heard, district = Workspace(MANIFEST, name="Maple Ridge"), [], District()
    slack.add_user("Dana Whitfield", user_id="UDANA", title="Attendance clerk")
    slack.add_user("Marcus O'Brien", user_id="UMARCUS", title="Teacher, grade 5")
    both = slack.add_channel("family-texts", members=("UDANA", "UMARCUS"), with_bot=True)
    slack.add_channel("front-office", members=("UDANA",), private=True)
    page = [
        Route("/", lambda _: FileResponse(PAGE / "index.html")),
        Mount("/sandbox/page", StaticFiles(directory=PAGE)),
    ]
    app = Starlette(routes=[*doors.routes(slack), *district.routes(), *page])
    with (
        serving.serve(slack) as api_url,
        deliver.InProcess(asgi(bolt_app(slack, api_url, heard))) as bot,
        serving.running(app) as url,
    ):
        slack.connect(bot)
        yield Stage(url, slack, api_url, district, heard, both.id)
