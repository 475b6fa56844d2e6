import pytest
from support import provider_tables as tables

from bot.providers.registry import BY_NAME

SHAKY_THOUGH_SURE = {("twilio", "30005")}
REASONLESS = {
    "aws": ["TEXT_BLOCKED", "TEXT_UNKNOWN", "text:Unknown error attempting to reach phone"],
    "azure": ["deliveryStatus:Failed", "4005", "9999"],
    "bandwidth": ["type:message-failed", "4750", "4772", "5650", "9999"],
    "bird": ["sms.undelivered", "sms.failed", "blocked_by_carrier", "unknown"],
    "generic": ["stat:UNDELIV", "stat:REJECTD", "err[twilio-smpp]:000", "command_status:0xFE", "dlr:2"],
    "infobip": ["group:UNDELIVERABLE", "error:0", "error:32"],
    "messagebird": ["status:delivery_failed", "reason:generic delivery failure", "0"],
    "plivo": ["status:undelivered", "100", "1000"],
    "sinch": [
        "status:Rejected",
        "status:Failed",
        "dlr:110",
        "dlr:160",
        "dlr:213",
        "dlr:320",
        "dlr:321",
        "dlr:0",
        "dlr:11",
        "dlr:114",
        "dlr:164",
        "dlr:217",
        "dlr:349",
        "dlr:399",
    ],
    "telnyx": ["status:delivery_failed", "40004", "40008"],
    "twilio": ["status:undelivered", "30004", "30008"],
    "vonage": [
        "status:failed",
        "status:rejected",
        "dlr:1",
        "dlr:99",
        "messages:1330",
        "messages-status:rejected",
        "messages-status:undeliverable",
    ],
}


@pytest.mark.parametrize("provider", BY_NAME)
def test_table_has_exactly_the_codes_of_the_csv(provider):
    assert sorted(BY_NAME[provider].CODES) == sorted(row["code"] for row in tables.code_rows(provider))


@pytest.mark.parametrize("provider", BY_NAME)
def test_every_code_means_what_the_csv_says(provider):
    for row in tables.code_rows(provider):
        code = BY_NAME[provider].CODES[row["code"]]
        shaky = row["confidence"] == "L" or (provider, row["code"]) in SHAKY_THOUGH_SURE
        assert (row["code"], code.outcome, code.shaky) == (row["code"], row["outcome"], shaky)
        assert code.meaning.endswith("."), row["code"]


@pytest.mark.parametrize("provider", BY_NAME)
def test_refusals_without_a_reason_are_marked_reasonless(provider):
    reasonless = {code for code, entry in BY_NAME[provider].CODES.items() if entry.reasonless}
    assert reasonless == set(REASONLESS[provider])
