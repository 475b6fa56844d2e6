import json
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import provider_tables as tables
from support.any_json import any_json
from support.family_texts import counted
from vonage_http_client.auth import Auth
from vonage_jwt import verify_signature

from bot.domain.sms_status import Outcome
from bot.providers import vonage
from bot.providers.callback import Callback
from bot.providers.receipt import BadSignature, Malformed, OptOutMessage, Refused

SECRET = "vonage-signature-secret-of-the-account"
NOW = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
MESSAGE_ID = "0B00000127FDBC63"
UUID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"
TABLE = tables.code_rows("vonage")


def rows(prefix):
    return [row | {"code": row["code"].removeprefix(prefix)} for row in TABLE if row["code"].startswith(prefix)]


def sms(status="delivered", code="0", **fields):
    return {
        "err-code": code,
        "message-timestamp": "2018-10-25 12:10:29",
        "messageId": MESSAGE_ID,
        "msisdn": "447547232824",
        "network-code": "23410",
        "price": "0.03330000",
        "scts": "1810251310",
        "status": status,
        "to": "Vonage",
        **fields,
    }


def message(status="delivered", number=None, **fields):
    error = {"type": f"https://developer.vonage.com/api-errors/messages#{number}", "title": number, "detail": "why"}
    return {
        "message_uuid": UUID,
        "to": "447700900000",
        "from": "447700900001",
        "timestamp": "2025-02-03T12:14:25Z",
        "status": status,
        "channel": "sms",
        **({"error": error} if number else {}),
        **fields,
    }


def request(fields, headers=JSON):
    body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return Callback("https://cleanup.district.example/receipts/vonage", dict(headers), body, NOW)


def form(fields):
    return request(urlencode(fields).encode(), FORM)


def signed(fields, *, method="sha256", secret=SECRET, at=NOW):
    fields = fields | {"timestamp": str(int(at.timestamp())), "nonce": "aaaaaaaa-bbbb"}
    signer = Auth(api_key="abcd1234", signature_secret=secret, signature_method=method)
    return fields | {"sig": signer.sign_params(dict(fields))}


def token(body, *, key=SECRET, algorithm="HS256", **claims):
    standard = {
        "iat": int(NOW.timestamp()),
        "jti": "ea41d7a4",
        "iss": "Vonage",
        "api_key": "abcd1234",
        "payload_hash": sha256(body).hexdigest(),
    }
    kept = {name: value for name, value in (standard | claims).items() if value is not None}
    return jwt.encode(kept, key, algorithm=algorithm)


def bearer(body, sent=None, **claims):
    return request(sent or body, JSON | {"authorization": f"Bearer {token(body, **claims)}"})


def parsed(callback):
    (report,) = vonage.parse(callback)
    return report


def test_status_alone_decides_outcome():
    for row in rows("status:"):
        assert parsed(request(sms(row["code"]))).outcome == row["outcome"]


@pytest.mark.parametrize("status", ["expired", "failed", "rejected", "unknown", "teleported"])
def test_error_code_overrides_failed_status(status):
    for row in rows("dlr:")[1:]:
        receipt = parsed(form(sms(status, row["code"])))
        assert (receipt.outcome, receipt.code) == (row["outcome"], f"dlr:{row['code']}")


def test_messages_api_status_alone_decides_outcome():
    for row in rows("messages-status:"):
        assert parsed(request(message(row["code"]))).outcome == row["outcome"]


@pytest.mark.parametrize("status", ["rejected", "undeliverable"])
def test_messages_api_error_overrides_failed_status(status):
    for row in rows("messages:"):
        receipt = parsed(request(message(status, row["code"])))
        assert (receipt.outcome, receipt.code) == (row["outcome"], f"messages:{row['code']}")


@pytest.mark.parametrize(
    "error",
    [
        {"title": "1180"},
        {"title": 1180, "type": "https://developer.vonage.com/api-errors/messages#rejected"},
        {"title": "Absent Subscriber", "type": "https://developer.vonage.com/api-errors/messages#1180"},
        {"code": 1180, "reason": "Absent Subscriber Temporary"},
        {"error": {"title": "1180"}},
    ],
)
def test_error_number_is_found_in_every_known_place(error):
    assert parsed(request(message("undeliverable", error=error))).outcome is Outcome.TURNED_OFF


@pytest.mark.parametrize("status", ["delivered", "accepted", "buffered"])
def test_code_is_ignored_unless_status_is_a_failure(status):
    assert parsed(request(sms(status, "3"))).outcome == vonage.CODES[f"status:{status}"].outcome
    assert parsed(request(message("submitted", "1190"))).outcome is Outcome.PENDING


@pytest.mark.parametrize(
    ("callback", "outcome"),
    [
        (sms("rejected", "77"), "unconfirmed"),
        (sms("failed", "77"), "unconfirmed"),
        (message("rejected", "1977"), "not_contact_problem"),
        (message("undeliverable", "1977"), "unconfirmed"),
    ],
)
def test_unknown_code_is_not_red_and_logged_without_number(caplog, callback, outcome):
    with caplog.at_level(logging.ERROR):
        assert parsed(request(callback)).outcome == outcome
    assert "77 is not in our table" in caplog.text
    assert "447" not in caplog.text


def test_unknown_status_is_pending_and_logged(caplog):
    assert parsed(request(sms("teleported"))).outcome is Outcome.PENDING
    assert parsed(request(message("teleported"))).outcome is Outcome.PENDING
    assert "status:teleported" in caplog.text


def test_signed_sms_api_receipt_is_parsed_completely():
    callback = form(signed(sms()))
    vonage.verify(SECRET, callback)
    receipt = parsed(callback)
    assert (receipt.provider_id, receipt.phone, receipt.outcome) == (MESSAGE_ID, "+447547232824", Outcome.DELIVERED)
    assert receipt.occurred_at == datetime(2018, 10, 25, 12, 10, 29, tzinfo=UTC)


def test_signed_messages_api_status_is_parsed_completely():
    callback = bearer(json.dumps(message("undeliverable", "1190")).encode())
    vonage.verify(SECRET, callback)
    receipt = parsed(callback)
    assert (receipt.provider_id, receipt.phone, receipt.outcome) == (UUID, "+447700900000", Outcome.INACTIVE)
    assert receipt.occurred_at == datetime(2025, 2, 3, 12, 14, 25, tzinfo=UTC)


def test_event_key_identifies_a_repeated_report():
    for report in (sms, message):
        first = parsed(request(report())).event_key
        assert first == parsed(request(report(price="0"))).event_key
        assert first != parsed(request(report("submitted"))).event_key
    assert parsed(request(sms("failed", "2"))).event_key != parsed(request(sms("failed", "3"))).event_key
    assert parsed(request(sms())).event_key != parsed(request(sms(messageId="0B00000127FDBC64"))).event_key
    assert "447" not in parsed(request(sms())).event_key


@pytest.mark.parametrize(("text", "stop"), [(" Stop ", True), ("UNSTOP", False)])
def test_stop_and_start_are_recognized_from_both_apis(text, stop):
    old = {"msisdn": "447700900001", "to": "447700900000", "messageId": MESSAGE_ID, "text": text, "type": "text"}
    new = {"message_uuid": UUID, "from": "447700900001", "channel": "sms", "message_type": "text", "text": text}
    assert parsed(form(old)) == OptOutMessage("vonage", f"{MESSAGE_ID}:inbound", "+447700900001", stop)
    assert parsed(request(new)) == OptOutMessage("vonage", f"{UUID}:inbound", "+447700900001", stop)
    vonage.verify(SECRET, request(signed(old)))
    assert vonage.parse(request(new | {"channel": "whatsapp"})) == []


@pytest.mark.parametrize("text", ["yes", "stop by at noon", "", None, 5])
def test_other_texts_from_families_are_ignored(text):
    assert counted(vonage.parse(request({"msisdn": "447700900001", "messageId": MESSAGE_ID, "text": text}))) == []
    new = {"message_uuid": UUID, "from": "447700900001", "channel": "sms", "message_type": "text", "text": text}
    assert counted(vonage.parse(request(new))) == []


@pytest.mark.parametrize("fields", [{"text": "Señora & O'Brien = 🎒"}, {"client-ref": ""}, {"price": 3}, {"zz": " a "}])
@pytest.mark.parametrize("written", [form, request])
def test_signature_of_vonages_library_is_accepted(fields, written):
    fields = signed(sms(**fields))
    vonage.verify(SECRET, written(fields))
    vonage.verify(SECRET, written(fields | {"sig": fields["sig"].upper()}))


def test_token_valid_for_vonages_library_is_accepted():
    body = json.dumps(message()).encode()
    assert verify_signature(token(body), SECRET)
    vonage.verify(SECRET, bearer(body))


def test_retry_after_a_day_is_still_accepted():
    body = json.dumps(message()).encode()
    yesterday = NOW - timedelta(hours=24)
    vonage.verify(SECRET, form(signed(sms(), at=yesterday)))
    vonage.verify(SECRET, bearer(body, iat=int(yesterday.timestamp())))


OLD = NOW - timedelta(hours=26)
FORGED_FIELDS = {
    "empty signature": signed(sms()) | {"sig": ""},
    "not ascii": signed(sms()) | {"sig": "ß\udcff\ud800"},
    "a field that cannot be encoded": signed(sms()) | {"text": "\ud800"},
    "another secret": signed(sms(), secret="another"),
    "another field": signed(sms()) | {"err-code": "5"},
    "one field more": signed(sms()) | {"x": "1"},
    "too old": signed(sms(), at=OLD),
    "from the future": signed(sms(), at=NOW + timedelta(hours=26)),
    "md5": signed(sms(), method="md5"),
    "sha1": signed(sms(), method="sha1"),
    "sha512": signed(sms(), method="sha512"),
}


@pytest.mark.parametrize("fields", FORGED_FIELDS.values(), ids=FORGED_FIELDS.keys())
def test_forged_sms_api_receipt_is_refused(fields):
    with pytest.raises(BadSignature):
        vonage.verify(SECRET, request(fields))


def test_field_cannot_hide_in_the_name_of_another():
    fields = signed(sms("failed", "3"))
    hidden = {name: value for name, value in fields.items() if name not in {"err-code", "message-timestamp"}}
    hidden["err-code=3&message-timestamp"] = fields["message-timestamp"]
    with pytest.raises(BadSignature):
        vonage.verify(SECRET, request(hidden))


def test_request_without_a_signed_time_is_refused():
    unsigned = sms()
    signer = Auth(api_key="a", signature_secret=SECRET, signature_method="sha256")
    for stamp in ("2018-10-25 12:10:29", "-1", "9" * 40, "١٢٣"):
        fields = unsigned | {"timestamp": stamp}
        with pytest.raises(BadSignature):
            vonage.verify(SECRET, request(fields | {"sig": signer.sign_params(dict(fields))}))


def test_unsigned_webhook_is_refused_with_503_for_a_retry():
    for callback in (form(sms()), request(message())):
        with pytest.raises(BadSignature) as refused:
            vonage.verify(SECRET, callback)
        assert refused.value.status == 503


BODY = json.dumps(message()).encode()
FORGED_TOKENS = {
    "another secret": bearer(BODY, key="another-secret-that-is-just-as-long"),
    "another body": bearer(BODY, BODY.replace(b"delivered", b"rejected")),
    "no payload_hash": bearer(BODY, payload_hash=None),
    "a payload_hash of another type": bearer(BODY, payload_hash=["x"]),
    "another issuer": bearer(BODY, iss="Twilio"),
    "no issuer": bearer(BODY, iss=None),
    "no time": bearer(BODY, iat=None),
    "a time of another type": bearer(BODY, iat="soon"),
    "too old": bearer(BODY, iat=int(OLD.timestamp())),
    "expired": bearer(BODY, exp=1_700_000_000),
    "another algorithm": bearer(BODY, key=SECRET * 2, algorithm="HS512"),
    "no algorithm": bearer(BODY, key=None, algorithm="none"),
    "no token": request(BODY, JSON | {"authorization": "Bearer "}),
    "not ascii": request(BODY, JSON | {"authorization": "Bearer ß\udcff.\ud800.x"}),
    "basic": request(BODY, JSON | {"authorization": f"Basic {token(BODY)}"}),
    "deeply nested": request(BODY, JSON | {"authorization": f"Bearer {'W1tb' * 20_000}.e30.eA"}),
    "a token beside a good sig": request(signed(sms()), JSON | {"authorization": "Bearer x.y.z"}),
}


@pytest.mark.parametrize("callback", FORGED_TOKENS.values(), ids=FORGED_TOKENS.keys())
def test_forged_messages_api_status_is_refused_with_403(callback):
    with pytest.raises(BadSignature) as refused:
        vonage.verify(SECRET, callback)
    assert refused.value.status == 403


def test_unset_secret_accepts_nothing():
    with pytest.raises(BadSignature):
        vonage.verify("", request(signed(sms())))
    with pytest.raises(BadSignature):
        vonage.verify("", bearer(BODY))


MALFORMED = [
    b"",
    b"hello",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"[{}]",
    b"null",
    b"{" * 10_000,
    b"[" * 10_000,
    b'{"a": ' * 10_000,
    b'{"status": "delivered"}',
    b'{"messageId": "a"}',
    b'{"messageId": {}, "status": "delivered"}',
    b'{"messageId": "a\\u0000", "status": "delivered"}',
    b'{"messageId": "a", "status": ["delivered"]}',
    b'{"messageId": "a", "status": "failed", "err-code": "2 or 3"}',
    b'{"messageId": "a", "status": "failed", "scts": "a b"}',
    b'{"message_uuid": null, "status": "delivered"}',
    b'{"message_uuid": "a"}',
    b'{"message_uuid": "a", "status": {}}',
    b'{"message_uuid": ' + b"9" * 5_000 + b', "status": "delivered"}',
    b"messageId=a%00&status=delivered",
    b"messageId=a&status=delivered&to=%ff",
    b"&".join(b"a%d=1" % n for n in range(200)),
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:40]))
@pytest.mark.parametrize("headers", [JSON, FORM], ids=["json", "form"])
def test_other_body_is_malformed(body, headers):
    with pytest.raises(Malformed) as refused:
        vonage.parse(request(body, headers))
    assert refused.value.status == 400


@pytest.mark.parametrize("channel", [None, [], {}, 7, "messenger"])
def test_stop_on_a_channel_without_numbers_is_ignored(channel):
    body = {"message_uuid": "a", "message_type": "text", "from": "13125550142", "text": "STOP", "channel": channel}
    assert vonage.parse(request(json.dumps(body).encode(), JSON)) == []


@pytest.mark.parametrize(
    "error", [None, [], "x", {"title": {}}, {"title": "9" * 99}, {"error": []}, {"error": {"title": []}}]
)
def test_malformed_error_is_ignored(error):
    assert parsed(request(message("undeliverable", error=error))).outcome is Outcome.UNCONFIRMED


ANYTHING = any_json()
NAMES = ["messageId", "message_uuid", "status", "err-code", "text", "msisdn", "to", "error", "sig", "timestamp", "scts"]
BODIES = st.binary(max_size=300) | st.builds(
    lambda fields: json.dumps(fields).encode(), st.dictionaries(st.sampled_from(NAMES) | st.text(), ANYTHING)
)


@given(BODIES, st.sampled_from([JSON, FORM]), st.none() | st.text())
def test_verifier_and_parser_survive_any_request(body, headers, authorization):
    callback = request(body, headers | ({"authorization": authorization} if authorization else {}))
    with suppress(Refused):
        vonage.verify(SECRET, callback)
    with suppress(Refused):
        vonage.parse(callback)
