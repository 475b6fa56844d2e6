import pytest
import tables

from bot.providers import BY_NAME

SHAKY_THOUGH_SURE = {("twilio", "30005")}


@pytest.mark.parametrize("provider", BY_NAME)
def test_a_table_holds_every_code_that_we_know_of_once_and_no_other(provider):
    assert sorted(BY_NAME[provider].CODES) == sorted(row["code"] for row in tables.told(provider))


@pytest.mark.parametrize("provider", BY_NAME)
def test_every_code_means_what_the_district_was_told(provider):
    for row in tables.told(provider):
        code = BY_NAME[provider].CODES[row["code"]]
        shaky = row["confidence"] == "L" or (provider, row["code"]) in SHAKY_THOUGH_SURE
        assert (row["code"], code.outcome, code.shaky) == (row["code"], row["outcome"], shaky)
        assert code.meaning.endswith("."), row["code"]
