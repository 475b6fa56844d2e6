import pytest

from bot.errors import UserError
from bot.providers.explain import explain
from bot.providers.registry import BY_NAME


@pytest.mark.parametrize("provider", BY_NAME)
def test_every_code_is_explained_with_its_consequence(provider):
    for code, entry in BY_NAME[provider].CODES.items():
        explanation = explain(provider, code)
        assert explanation.entry == entry
        first, *rest = explanation.lines()
        assert first == f"{provider} {code}: {entry.meaning}"
        assert rest
        assert all(line.endswith(".") for line in rest)


def test_explanation_ends_with_next_step():
    assert explain("twilio", "30003").lines() == [
        "twilio 30003: The phone was off, out of range or roaming.",
        "SMS status: Turned Off (yellow).",
        "Next step: Wait for the next message. Still off then? Ask for another number.",
    ]


def test_explanation_mentions_shaky_and_reasonless_codes():
    assert "second mass message" in " ".join(explain("twilio", "30005").lines())
    assert "our sender is at fault" in " ".join(explain("twilio", "30004").lines())


def test_explanation_says_that_our_own_fault_lists_no_one():
    assert "no contact is listed" in explain("twilio", "30007").lines()[1]


@pytest.mark.parametrize("word", ["status:undelivered", "undelivered", " Undelivered "])
def test_status_word_is_explained_like_a_code(word):
    assert explain("Twilio", word).code == "status:undelivered"


def test_unknown_code_suggests_similar_ones():
    with pytest.raises(UserError) as unknown:
        explain("twilio", "3003")
    assert unknown.value.code == "provider.unknown_code"
    assert "Did you mean 30003" in unknown.value.sentence


def test_unknown_provider_lists_the_known_ones():
    with pytest.raises(UserError) as unknown:
        explain("pigeon", "1")
    assert unknown.value.code == "provider.unknown"
    assert ", ".join(BY_NAME) in unknown.value.sentence
