import json
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import provider_tables as tables
from support.any_json import any_json
from support.family_texts import counted

from bot.domain.sms_status import Outcome
from bot.providers import messagebird
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, ParsedReceipt, Refused

SECRET = "messagebird-signing-key-of-the-district-which-is-sixty-four-long"
URL = "https://cleanup.district.example/receipts/messagebird"
NOW = datetime(2023, 7, 28, 17, 57, 30, tzinfo=UTC)
MESSAGE_ID = "b6aae1b5dfb2427a8f7ea6a717ba31a9"
HERE = Path(__file__).parent
TABLE = tables.code_rows("messagebird")
BY_STATUS = [row for row in TABLE if row["code"].startswith("status:")]
BY_REASON = [row for row in TABLE if row["code"].startswith("reason:")]
BY_CODE = [row for row in TABLE if row["code"].isdecimal()]
PUBLISHED = json.loads((HERE / "messagebird_signed.json").read_text())["requests"]


def a_report(status="delivered", **changed):
    return {
        "id": MESSAGE_ID,
        "mccmnc": "310010",
        "recipient": "18885551515",
        "reference": "019a0719-ac96-7eb9-a837-cac215164834",
        "status": status,
        "statusDatetime": "2023-07-28T17:57:12+00:00",
        **changed,
    }


def a_text(body, **changed):
    return {"id": "t1", "recipient": "18885550000", "originator": "18885551515", "body": body, **changed}


def request(query=None, body=b"", token=None, *, at=NOW, url=URL):
    headers = {} if token is None else {"messagebird-signature-jwt": token}
    return Callback(f"{url}?{urlencode(query)}" if query else url, headers, body, at)


def posted(content, *, as_json=False):
    return request(body=json.dumps(content).encode() if as_json else urlencode(content).encode())


def parsed(report):
    (report,) = messagebird.parse(request(report))
    return report


def token_of(callback, *, secret=SECRET, algorithm="HS256", **changed):
    at = int(NOW.timestamp())
    claims = {"iss": "MessageBird", "nbf": at, "exp": at + 60, "jti": "j1"}
    claims |= {"url_hash": sha256(callback.url.encode()).hexdigest()}
    claims |= {"payload_hash": sha256(callback.body).hexdigest()} if callback.body else {}
    claims = {name: value for name, value in (claims | changed).items() if value is not None}
    return jwt.encode(claims, secret, algorithm)


def test_status_alone_decides_outcome():
    for row in BY_STATUS:
        assert parsed(a_report(row["code"].removeprefix("status:"))).outcome == row["outcome"]


@pytest.mark.parametrize("status", ["delivery_failed", "expired"])
def test_error_code_overrides_failed_status(status):
    for row in BY_CODE:
        receipt = parsed(a_report(status, statusErrorCode=row["code"]))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


@pytest.mark.parametrize("spelled", [str, str.upper, lambda reason: reason.replace(" ", "_")])
@pytest.mark.parametrize("more", [{}, {"statusErrorCode": "0"}])
def test_reason_overrides_status_and_code_0(spelled, more):
    for row in BY_REASON:
        reason = spelled(row["code"].removeprefix("reason:"))
        receipt = parsed(a_report("delivery_failed", statusReason=reason, **more))
        assert (receipt.outcome, receipt.code) == (row["outcome"], row["code"])


def test_known_code_overrides_reason_and_unknown_does_not(caplog):
    reason = {"statusReason": "unknown subscriber"}
    assert parsed(a_report("delivery_failed", statusErrorCode="103", **reason)).outcome is Outcome.OPT_OUT
    receipt = parsed(a_report("delivery_failed", statusErrorCode="999", **reason))
    assert (receipt.outcome, receipt.code) == (Outcome.INACTIVE, "reason:unknown subscriber")
    assert "999" in caplog.text


@pytest.mark.parametrize("status", ["delivered", "sent", "buffered", "scheduled"])
def test_code_is_ignored_unless_status_is_a_failure(status):
    by_status = messagebird.CODES[f"status:{status}"].outcome
    assert parsed(a_report(status, statusErrorCode="1", statusReason="expired")).outcome is by_status


def test_unknown_code_is_not_red_and_logged_without_number(caplog):
    with caplog.at_level(logging.ERROR):
        receipt = parsed(a_report("delivery_failed", statusErrorCode="999", statusReason="gone fishing"))
    assert (receipt.outcome, receipt.code) == (Outcome.UNCONFIRMED, "999")
    assert all(text in caplog.text for text in ("999", "gone fishing", MESSAGE_ID))
    assert "5551515" not in caplog.text


def test_unknown_status_is_pending_and_logged(caplog):
    assert parsed(a_report("teleported")).outcome is Outcome.PENDING
    assert "teleported" in caplog.text


def test_sample_of_messagebird_is_parsed_completely():
    query = (
        "id=b6aae1b5dfb2427a8f7ea6a717ba31a9&mccmnc=310010&recipient=18885551515&"
        "reference=019a0719-ac96-7eb9-a837-cac215164834&status=delivery_failed&statusErrorCode=103&"
        "statusDatetime=2023-07-28T17%3A57%3A12%2B00%3A00"
    )
    assert messagebird.parse(Callback(f"{URL}?{query}", {}, b"", NOW)) == [
        ParsedReceipt(
            "messagebird",
            f"{MESSAGE_ID}:+18885551515:delivery_failed:103:2023-07-28T17:57:12+00:00",
            f"{MESSAGE_ID}:+18885551515",
            "+18885551515",
            Outcome.OPT_OUT,
            "103",
            occurred_at=datetime(2023, 7, 28, 17, 57, 12, tzinfo=UTC),
        )
    ]


def test_report_may_be_posted_and_lack_the_plus_sign():
    content = a_report(statusDatetime="2023-07-28T17:57:12 00:00", statusErrorCode=0)
    assert messagebird.parse(posted(content)) == messagebird.parse(posted(content, as_json=True))
    assert messagebird.parse(posted(content))[0].occurred_at == datetime(2023, 7, 28, 17, 57, 12, tzinfo=UTC)


def test_event_key_identifies_a_repeated_report():
    assert parsed(a_report()).event_key == parsed(a_report(mccmnc="1")).event_key
    others = [{"id": "m2"}, {"recipient": "18885551516"}, {"status": "sent"}, {"statusErrorCode": "1"}]
    others += [{"statusReason": "expired"}, {"statusDatetime": "2023-07-28T17:57:13+00:00"}]
    assert len({parsed(a_report() | other).event_key for other in [{}, *others]}) == 7


@pytest.mark.parametrize(
    ("content", "stopped"),
    [
        (a_text("STOP"), True),
        (a_text(" start "), False),
        ({"mid": "t1", "shortcode": "1008", "originator": "18885551515", "message": "Stop"}, True),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_stop_and_start_are_recognized(content, stopped, as_json):
    heard = OptOutMessage("messagebird", "t1:inbound", "+18885551515", stopped)
    assert messagebird.parse(posted(content, as_json=as_json)) == [heard]


@pytest.mark.parametrize("content", [a_text("thank you"), a_text(""), a_text("STOP", originator="SCHOOL")])
def test_other_texts_from_families_are_ignored(content):
    assert counted(messagebird.parse(posted(content))) == []


@pytest.mark.parametrize("sample", PUBLISHED, ids=lambda sample: f"{sample['method']} {sample['name']}")
def test_published_signatures_are_accepted_or_refused(sample):
    at = datetime.fromisoformat(sample["timestamp"])
    callback = request(body=sample.get("payload", "").encode(), token=sample["token"], at=at, url=sample["url"])
    if sample["valid"]:
        messagebird.verify(sample["secret"], callback)
    else:
        with pytest.raises(BadSignature):
            messagebird.verify(sample.get("secret", SECRET), callback)


@pytest.mark.parametrize("seconds", [-60, 0, 60, 120])
def test_token_is_valid_for_its_minute_plus_leeway(seconds):
    callback = request(a_report(), at=NOW + timedelta(seconds=seconds))
    messagebird.verify(SECRET, request(a_report(), token=token_of(callback), at=callback.at))


CALLBACK = request(a_report())
GOOD = token_of(CALLBACK)
FORGED = {
    "no token": None,
    "empty": "",
    "not ascii": "ß\udcff",
    "cut": GOOD[:-1],
    "another secret": token_of(CALLBACK, secret=SECRET[::-1]),
    "another issuer": token_of(CALLBACK, iss="Messagebird"),
    "no issuer": token_of(CALLBACK, iss=None),
    "no start": token_of(CALLBACK, nbf=None),
    "no end": token_of(CALLBACK, exp=None),
    "an end in words": token_of(CALLBACK, exp="tomorrow"),
    "no url": token_of(CALLBACK, url_hash=None),
    "another url": token_of(CALLBACK, url_hash="0" * 64),
    "a list of urls": token_of(CALLBACK, url_hash=[sha256(CALLBACK.url.encode()).hexdigest()]),
    "a body that is not there": token_of(CALLBACK, payload_hash="0" * 64),
    "no algorithm": jwt.encode(jwt.decode(GOOD, options={"verify_signature": False}), None, "none"),
    "too late": token_of(CALLBACK, exp=int(NOW.timestamp()) - 61),
    "too early": token_of(CALLBACK, nbf=int(NOW.timestamp()) + 61),
    "not of this year": token_of(CALLBACK, nbf=int(time.time()), exp=int(time.time()) + 60),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_forged_request_is_refused_with_403(token):
    with pytest.raises(BadSignature) as refused:
        messagebird.verify(SECRET, request(a_report(), token=token))
    assert refused.value.status == 403


@pytest.mark.parametrize("changed", [{"query": a_report("sent")}, {"body": b"status=sent"}, {"url": URL + "/"}])
def test_token_of_another_request_is_refused(changed):
    messagebird.verify(SECRET, request(a_report(), token=GOOD))
    with pytest.raises(BadSignature):
        messagebird.verify(SECRET, request(**({"query": a_report(), "token": GOOD} | changed)))


def test_unset_secret_accepts_nothing():
    with pytest.raises(BadSignature):
        messagebird.verify("", request(a_report(), token=GOOD))


@pytest.mark.parametrize(
    "callback",
    [
        request(),
        request({"status": "delivered"}),
        request(a_report(id="")),
        request(a_report(id="a b")),
        request(a_report(id="a\x00b")),
        request(a_report(recipient="")),
        request(a_report(recipient="SCHOOL")),
        request(a_report("not a word")),
        request(a_report(statusErrorCode="1,2")),
        request(a_report(statusReason="+18885551515")),
        request(a_report(statusDatetime="a/b")),
        request({"originator": "18885551515", "body": "STOP"}),
        request(body=b"hello"),
        request(body=b"\xff\xfe"),
        request(body=b"{"),
        request(body=b"[" * 100_000),
        request(body=b"[]"),
        posted({"status": ["delivered"], "originator": {}}, as_json=True),
        request(body=b'{"id": ' + b"9" * 5_000 + b"}"),
    ],
)
def test_other_request_is_malformed(callback):
    with pytest.raises(Malformed) as refused:
        messagebird.parse(callback)
    assert refused.value.status == 400


ANYTHING = any_json()
NAMES = st.sampled_from([*a_report(), "statusErrorCode", "statusReason", "originator", "body", "mid"])


@given(
    st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"), max_size=30)),
    st.binary(max_size=300)
    | (st.dictionaries(NAMES, ANYTHING) | ANYTHING).map(lambda content: json.dumps(content).encode()),
    st.text(max_size=100) | st.just(GOOD),
)
def test_parser_survives_any_request(query, body, token):
    callback = request(query, body, token)
    with pytest.raises(BadSignature):
        messagebird.verify(SECRET, callback)
    with suppress(Refused):
        messagebird.parse(callback)
