import pytest

from bot.errors import UserError
from bot.providers.explaining import explain
from bot.providers.registry import BY_NAME


@pytest.mark.parametrize("provider", BY_NAME)
def test_every_code_of_every_provider_is_explained_with_what_follows(provider):
    for said, code in BY_NAME[provider].CODES.items():
        explanation = explain(provider, said)
        assert explanation.code == code
        first, *rest = explanation.lines()
        assert first == f"{provider} {said}: {code.meaning}"
        assert rest
        assert all(line.endswith(".") for line in rest)


def test_what_can_be_done_is_said():
    assert explain("twilio", "30003").lines() == [
        "twilio 30003: The phone was off, out of range or roaming.",
        "SMS status: Turned Off (yellow).",
        "Next step: Wait for the next mass message. Still off then? Ask for another number.",
    ]


def test_shaky_evidence_and_refusals_without_a_reason_are_said_to_be_so():
    assert "second mass message" in " ".join(explain("twilio", "30005").lines())
    assert "our sender is at fault" in " ".join(explain("twilio", "30004").lines())


def test_our_own_fault_lists_nobody():
    assert "nobody is listed" in explain("twilio", "30007").lines()[1]


@pytest.mark.parametrize("said", ["status:undelivered", "undelivered", " Undelivered "])
def test_a_status_word_is_explained_like_a_code(said):
    assert explain("Twilio", said).said == "status:undelivered"


def test_an_unknown_code_names_those_near_it():
    with pytest.raises(UserError) as unknown:
        explain("twilio", "3003")
    assert unknown.value.sentence.startswith("twilio has no code “3003” that we know of. Near it: 30003")


def test_an_unknown_provider_names_the_known_ones():
    with pytest.raises(UserError) as unknown:
        explain("pigeon", "1")
    assert unknown.value.sentence == f"Unknown provider “pigeon”. Known are: {', '.join(BY_NAME)}."
