"""The page on a port: the real local Slack with a small Bolt app, and a district that is a few values in memory. Also what
tests do on the page.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import expect
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from support.tiny_bolt_app import MANIFEST, asgi, bolt_app

from bot.sandbox.run import page_routes
from bot.sandbox.slack import delivery, page_api, server
from bot.sandbox.slack.workspace import Workspace

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SENT_AT = "2026-11-20T15:00:00+00:00"


def mass_message(title, **counts):
    counts = {"delivered": 512, "failed": 61, "pending": 0, **counts}
    return {"id": title, "title": title, "sent_at": SENT_AT, "final": counts["pending"] == 0, **counts}


@dataclass
class District:
    """What the panel requests; a test changes it as the district would change."""

    messages: list = field(default_factory=lambda: [mass_message("Welcome back")])
    task: dict | None = None
    problem: str | None = None
    steps: dict = field(default_factory=lambda: {"listed": False, "fixed": False, "sent": False})
    phones: dict = field(default_factory=lambda: {"p-1": "+13125550142"})
    titles: list = field(default_factory=list)

    def routes(self):
        return [
            Route("/sandbox/district", self.today),
            Route("/sandbox/district/send", self.send, methods=["POST"]),
            Route("/sandbox/district/sync", self.sync, methods=["POST"]),
            Route("/sandbox/district/sis", self.find_contacts),
            Route("/sandbox/district/sis", self.change_phone, methods=["POST"]),
            Route("/sandbox/district/outbox", lambda _: JSONResponse({"mails": []})),
        ]

    def today(self, _request):
        last_sync = {"at": SENT_AT, "ok": True, "text": "612 students read."}
        state = {name: getattr(self, name) for name in ("messages", "task", "problem", "steps")}
        return JSONResponse({**state, "last_sync": last_sync})

    async def send(self, request):
        self.titles.append((await request.json())["title"])
        self.task = {"what": "Sending a mass message", "done": 120, "total": 560, "text": "120 of 560 receipts"}
        return JSONResponse({"ok": True})

    def finish_sending(self):
        self.messages.append(mass_message(self.titles[-1]))
        self.task, self.steps = None, {**self.steps, "sent": True}

    async def sync(self, _request):
        self.problem = "The sync is held: too many rows would disappear."
        return JSONResponse({"ok": True})

    async def find_contacts(self, request):
        text = request.query_params["q"].lower()
        rosa = {"sourced_id": "p-1", "name": "Rosa Hernández", "students": "Ava, Mateo", "phone": self.phones["p-1"]}
        return JSONResponse({"contacts": [rosa] if text in "rosa hernández" else []})

    async def change_phone(self, request):
        change = await request.json()
        if len(change["phone"]) < 10:
            return JSONResponse({"error": "refused", "text": "That is too short for a number."}, status_code=422)
        self.phones[change["sourced_id"]] = change["phone"]
        return JSONResponse({"ok": True})


@dataclass
class PageServer:
    url: str
    slack: Workspace
    client: WebClient
    district: District
    received: list
    family_texts: str

    def post(self, text, blocks=None):
        """Post a message of the app in #family-texts and return its ts."""
        return self.client.chat_postMessage(channel=self.family_texts, text=text, blocks=blocks)["ts"]

    def update(self, ts, text, blocks):
        self.client.chat_update(channel=self.family_texts, ts=ts, text=text, blocks=blocks)


@contextmanager
def serve_page():
    """Two people of one school, a channel of both, one of Dana alone, and the app."""
    slack, received, district = Workspace(MANIFEST, name="Maple Ridge"), [], District()
    slack.add_user("Dana Whitfield", user_id="UDANA", title="Attendance clerk")
    slack.add_user("Marcus O'Brien", user_id="UMARCUS", title="Teacher, grade 5")
    texts = slack.add_channel("family-texts", members=("UDANA", "UMARCUS"), with_bot=True)
    slack.add_channel("front-office", members=("UDANA",), private=True)
    app = Starlette(routes=[*page_api.routes(slack), *district.routes(), *page_routes()])
    with (
        server.serve(slack) as api_url,
        delivery.InProcess(asgi(bolt_app(slack, api_url, received))) as bot,
        server.serve_app(app) as url,
    ):
        slack.connect(bot)
        client = WebClient(slack.bot_token, base_url=api_url)
        yield PageServer(url, slack, client, district, received, texts.id)


def say(page, text):
    page.locator("#composer").fill(text)
    page.keyboard.press("Enter")


def ephemeral(page):
    return page.locator(".message.ephemeral")


def dialog(page):
    return page.get_by_role("dialog")


def open_edit(page):
    """Open the dialog of the button *Edit* in the list."""
    say(page, "/list")
    ephemeral(page).get_by_role("button", name="Edit").click()
    expect(dialog(page)).to_be_visible()
    expect(dialog(page).get_by_label("phone")).to_be_focused()  # Keys typed earlier would be lost.
    return dialog(page)
