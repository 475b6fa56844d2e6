"""No table by outcome, status, or proof forgets one of them."""

from bot.cleanup_list.last_verified import PROOF_WORDS, Proof
from bot.cleanup_list.number_status import EVIDENCE, STRENGTH
from bot.db.models.messages import VerifiedHow
from bot.domain.sms_status import Outcome, SmsStatus
from bot.filters.words import STATUS_SLUGS, STATUS_WORDS
from bot.mass_messages.report_words import NOT_DELIVERED, Meaning
from bot.providers.explain import Explanation
from bot.providers.receipt import Code


def test_each_outcome_has_one_strength_and_delivered_the_greatest():
    assert sorted(STRENGTH) == sorted(Outcome)
    assert STRENGTH[-1] is Outcome.DELIVERED


def test_every_other_outcome_is_evidence():
    """A message that is not final, our own fault, and an opt-out tell nothing that a later delivery changes."""
    no_evidence = {Outcome.PENDING, Outcome.NOT_CONTACT_PROBLEM, Outcome.OPT_OUT}
    assert sorted(EVIDENCE) == sorted(set(Outcome) - no_evidence)


def test_each_status_can_be_typed():
    assert {status for statuses in STATUS_WORDS.values() for status in statuses} == set(SmsStatus)
    assert set(STATUS_SLUGS) == set(SmsStatus)


def test_report_of_a_messenger_can_mean_each_outcome():
    assert set(Outcome) <= set(Meaning)
    failures = set(Outcome) - {Outcome.PENDING, Outcome.DELIVERED, Outcome.NOT_CONTACT_PROBLEM}
    assert {meaning.outcome for meaning in NOT_DELIVERED} == failures


def test_code_of_each_outcome_can_be_explained():
    for outcome in Outcome:
        assert Explanation("twilio", "1", Code(outcome, "It failed.")).lines()


def test_each_proof_has_words():
    assert set(PROOF_WORDS) == set(Proof)
    assert set(VerifiedHow) <= set(Proof)
