"""The sender against a bot that only listens: what goes over the wire is what a texting product and Twilio would send."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from support import people
from twilio.request_validator import RequestValidator

from bot.db.models.messages import PhoneNumber
from bot.sandbox.district.numbers import Fate
from bot.sandbox.sender import Recipient, Sender, callbacks_of
from bot.sandbox.slack.serving import running

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@dataclass
class Listener:
    """Takes everything and remembers it."""

    messages: list = field(default_factory=list)
    receipts: list = field(default_factory=list)
    status: int = 200

    def app(self):
        async def message(request):
            self.messages.append((request.headers["authorization"], await request.json()))
            return Response(status_code=self.status)

        async def receipt(request):
            form = dict(parse_qsl((await request.body()).decode()))
            self.receipts.append((str(request.url), form, request.headers["x-twilio-signature"]))
            return Response(status_code=204)

        posts = {"methods": ["POST"]}
        return Starlette(
            routes=[Route("/mass-messages", message, **posts), Route("/receipts/twilio", receipt, **posts)]
        )


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def sender(engine, listener):
    with running(listener.app()) as url, httpx.Client(base_url=url) as client:
        yield Sender(engine, client, "ingest", "twilio-secret", lambda number: _FATES.get(number, Fate.FINE))


BLOCKED, STOPPED = "+13125550111", "+13125550112"
_FATES = {BLOCKED: Fate.BLOCKED, STOPPED: Fate.STOPPED}


@pytest.fixture
def families(session):
    """Maria has two children; her neighbour blocks texts, another has said STOP and we do not know it yet."""
    sam, eva = people.student(session), people.student(session, "Eva")
    maria = people.contact(session, sam, eva)
    blocks = people.contact(session, sam, phone=BLOCKED)
    stopped = people.contact(session, eva, phone=STOPPED)
    session.commit()
    return maria, blocks, stopped


def deliveries(listener):
    return [one for _, message in listener.messages for one in message["deliveries"]]


def test_a_contact_of_two_students_gets_one_text(sender, listener, families):
    sent = sender.send("Early dismissal today", now=NOW)

    assert sent.deliveries == 3
    assert sorted(one["contact"] for one in deliveries(listener)) == sorted(one.sourced_id for one in families)
    assert listener.messages[0][0] == "Bearer ingest"
    assert listener.messages[0][1]["title"] == "Early dismissal today"


def test_nobody_is_texted_who_takes_calls_has_no_number_or_said_stop(sender, listener, session):
    sam = people.student(session)
    people.contact(session, sam, method="call")
    people.contact(session, sam, phone=None)
    stopped = people.contact(session, sam)
    session.add(PhoneNumber(phone=stopped.sis_phone, opted_out_at=NOW))
    session.commit()

    sender.send("Early dismissal today", now=NOW)

    assert listener.messages[0][1]["deliveries"] == []
    assert listener.receipts == []


def test_every_receipt_is_signed_as_twilio_signs(sender, listener, families):
    sender.send("Early dismissal today", now=NOW)

    validator = RequestValidator("twilio-secret")
    assert listener.receipts
    assert all(validator.validate(url, form, signature) for url, form, signature in listener.receipts)


def test_each_delivery_ends_as_its_number_is_fated(sender, listener, families):
    sender.send("Early dismissal today", now=NOW)

    ends = {(form["To"], form["MessageStatus"], form.get("ErrorCode")) for _, form, _ in listener.receipts}
    assert (BLOCKED, "undelivered", "30004") in ends
    assert (STOPPED, "failed", "21610") in ends
    assert (families[0].sis_phone, "delivered", None) in ends


def test_progress_counts_the_receipts_that_were_taken(sender, listener, families):
    seen = []

    sent = sender.send("Early dismissal today", now=NOW, progress=lambda done, total: seen.append((done, total)))

    assert seen[0][0] == 0
    assert seen[-1] == (sent.receipts, sent.receipts) == (len(listener.receipts), len(listener.receipts))


def test_the_same_title_a_second_later_is_another_message(sender, listener, families):
    first = sender.send("Snow day", now=NOW)
    second = sender.send("Snow day", now=NOW.replace(second=1))

    assert first.message_id != second.message_id
    assert len({one["provider_id"] for one in deliveries(listener)}) == 6


def test_a_refusal_of_the_bot_is_not_passed_over(sender, listener, families):
    listener.status = 401

    with pytest.raises(httpx.HTTPStatusError):
        sender.send("Early dismissal today", now=NOW)


def test_some_receipts_come_twice_and_some_in_the_wrong_order():
    shapes = Counter(
        tuple(form["MessageStatus"] for form in callbacks_of("m", Recipient(f"G{n}", "+13125550142"), Fate.FINE, NOW))
        for n in range(300)
    )

    assert set(shapes) == {("sent", "delivered"), ("sent", "delivered", "delivered"), ("delivered", "sent")}
    assert shapes["sent", "delivered"] > 200


def test_a_text_that_failed_before_the_carrier_was_never_sent():
    (only,) = callbacks_of("m", Recipient("G1", STOPPED), Fate.STOPPED, NOW)

    assert only["MessageStatus"] == "failed"
