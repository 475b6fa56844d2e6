"""The sender against a server that records: the requests are those of a texting product and of Twilio."""

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
from bot.sandbox.district.numbers import TextResult
from bot.sandbox.sender import Recipient, Sender, callbacks_of
from bot.sandbox.slack.server import serve_app

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@dataclass
class Recorder:
    """Accepts and records all requests."""

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
def recorder():
    return Recorder()


@pytest.fixture
def sender(engine, recorder):
    with serve_app(recorder.app()) as url, httpx.Client(base_url=url) as client:
        yield Sender(
            engine, client, "ingest", "twilio-secret", lambda number: _TEXT_RESULTS.get(number, TextResult.DELIVERED)
        )


BLOCKED, OPTED_OUT = "+13125550111", "+13125550112"
_TEXT_RESULTS = {BLOCKED: TextResult.BLOCKED, OPTED_OUT: TextResult.OPTED_OUT}


@pytest.fixture
def families(session):
    """Maria has two students; a second contact blocks texts; a third has opted out, which the bot does not know yet."""
    sam, eva = people.student(session), people.student(session, "Eva")
    maria = people.contact(session, sam, eva)
    blocks = people.contact(session, sam, phone=BLOCKED)
    opted_out = people.contact(session, eva, phone=OPTED_OUT)
    session.commit()
    return maria, blocks, opted_out


def deliveries(recorder):
    return [delivery for _, message in recorder.messages for delivery in message["deliveries"]]


def test_contact_of_two_students_gets_one_text(sender, recorder, families):
    sent = sender.send("Early dismissal today", now=NOW)

    assert sent.deliveries == 3
    assert sorted(delivery["contact"] for delivery in deliveries(recorder)) == sorted(
        contact.sourced_id for contact in families
    )
    assert recorder.messages[0][0] == "Bearer ingest"
    assert recorder.messages[0][1]["title"] == "Early dismissal today"


def test_calls_only_missing_numbers_and_opt_outs_get_no_text(sender, recorder, session):
    sam = people.student(session)
    people.contact(session, sam, method="call")
    people.contact(session, sam, phone=None)
    opted_out = people.contact(session, sam)
    session.add(PhoneNumber(phone=opted_out.sis_phone, opted_out_at=NOW))
    session.commit()

    sender.send("Early dismissal today", now=NOW)

    assert recorder.messages[0][1]["deliveries"] == []
    assert recorder.receipts == []


def test_receipts_are_signed_as_twilio_signs(sender, recorder, families):
    sender.send("Early dismissal today", now=NOW)

    validator = RequestValidator("twilio-secret")
    assert recorder.receipts
    assert all(validator.validate(url, form, signature) for url, form, signature in recorder.receipts)


def test_delivery_results_follow_the_fates_of_numbers(sender, recorder, families):
    sender.send("Early dismissal today", now=NOW)

    results = {(form["To"], form["MessageStatus"], form.get("ErrorCode")) for _, form, _ in recorder.receipts}
    assert (BLOCKED, "undelivered", "30004") in results
    assert (OPTED_OUT, "failed", "21610") in results
    assert (families[0].sis_phone, "delivered", None) in results


def test_progress_counts_accepted_receipts(sender, recorder, families):
    seen = []

    sent = sender.send("Early dismissal today", now=NOW, progress=lambda done, total: seen.append((done, total)))

    assert seen[0][0] == 0
    assert seen[-1] == (sent.receipts, sent.receipts) == (len(recorder.receipts), len(recorder.receipts))


def test_same_title_a_second_later_is_another_message(sender, recorder, families):
    first = sender.send("Snow day", now=NOW)
    second = sender.send("Snow day", now=NOW.replace(second=1))

    assert first.message_id != second.message_id
    assert len({delivery["provider_id"] for delivery in deliveries(recorder)}) == 6


def test_refusal_of_the_bot_is_an_error(sender, recorder, families):
    recorder.status = 401

    with pytest.raises(httpx.HTTPStatusError):
        sender.send("Early dismissal today", now=NOW)


def test_some_receipts_are_doubled_or_out_of_order():
    orders = Counter(
        tuple(
            form["MessageStatus"]
            for form in callbacks_of("m", Recipient(f"G{n}", "+13125550142"), TextResult.DELIVERED, NOW)
        )
        for n in range(300)
    )

    assert set(orders) == {("sent", "delivered"), ("sent", "delivered", "delivered"), ("delivered", "sent")}
    assert orders["sent", "delivered"] > 200


def test_text_that_failed_before_the_carrier_was_never_sent():
    (only,) = callbacks_of("m", Recipient("G1", OPTED_OUT), TextResult.OPTED_OUT, NOW)

    assert only["MessageStatus"] == "failed"
