"""Numbers of the wrong person: parked for every student at once, and beside an opt-out, which neither begins nor ends with it.

A person, a provider, or a carrier's file says that a number belongs to someone else. Its contacts are listed at once, and nothing
but a person who verified the number lifts it: no receipt, no START, and no older report.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.cleanup_list.membership import update_list
from bot.cleanup_list.number_status import Numbers, judge_numbers, sql_list
from bot.db import audit
from bot.db.advisory_locks import lock_cleanup_list
from bot.db.models.edits import IN_FORCE
from bot.db.models.notices import WrongPersonNotice, WrongPersonState
from bot.domain.sms_status import SmsStatus
from bot.providers.receipt import ReassignedNumber

# The source of numbers from a file of the carriers.
DEACTIVATIONS = "deactivations"

# A contact `t` who proved the number at the counter, or confirmed it in a call, since the report.
_PROVED_SINCE = "t.phone = r.phone AND t.proved_at >= r.at"
# Another person has the number, and that proof says nothing about them; records of one name are one person.
_OTHERS_HAVE = f"""EXISTS (
          SELECT FROM contacts c
          WHERE c.active AND c.id IN (
              SELECT id FROM contacts WHERE sis_phone = r.phone
              UNION SELECT contact_id FROM edits WHERE value = r.phone AND field = 'phone' AND state IN ({sql_list(IN_FORCE)})
          ) AND folded_name(c.given_name, c.family_name) NOT IN (
              SELECT folded_name(p.given_name, p.family_name) FROM tried_numbers t JOIN contacts p ON p.id = t.contact_id
              WHERE {_PROVED_SINCE}
          )
      )"""
# Staff who typed the number after the report knew it from the family, as do those who verified it. What proves it for one contact
# only does not hinder the report for the others. A number that is parked is parked again where a contact proved it before the report.
_PARK = text(f"""
INSERT INTO phone_numbers AS n (phone, status, since, wrong_person_at, wrong_person_by)
SELECT r.phone, '{SmsStatus.WRONG_PERSON}', CAST(:now AS timestamptz), :now, CAST(:by AS text)
FROM unnest(CAST(:phones AS text[]), CAST(:times AS timestamptz[])) AS r (phone, at)
WHERE NOT EXISTS (
      SELECT FROM phone_numbers v
      WHERE v.phone = r.phone AND v.verified_at >= r.at AND (v.verified_how IS NULL OR NOT {_OTHERS_HAVE})
  )
  AND NOT EXISTS (
      SELECT FROM phone_numbers v
      WHERE v.phone = r.phone AND v.wrong_person_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM tried_numbers t WHERE t.phone = r.phone AND t.proved_at < r.at)
  )
  AND NOT EXISTS (
      SELECT FROM edits e
      WHERE e.value = r.phone AND e.field = 'phone' AND e.state IN ({sql_list(IN_FORCE)}) AND e.made_at > r.at
        AND NOT EXISTS (SELECT FROM tried_numbers t WHERE t.contact_id = e.contact_id AND {_PROVED_SINCE})
  )
ON CONFLICT (phone) DO UPDATE SET
    status = CASE WHEN n.opted_out_at IS NULL THEN excluded.status ELSE n.status END,
    since = CASE WHEN n.opted_out_at IS NULL THEN excluded.since ELSE n.since END,
    doubted = NULL, wrong_person_at = excluded.wrong_person_at, wrong_person_by = excluded.wrong_person_by
RETURNING n.phone
""")
# Contacts who proved a number since the report. A trigger (migration 0064) ends all proofs of a number that is parked, also by
# a version that has none.
_PROOFS_SINCE = text(f"""
SELECT t.contact_id, t.phone, t.proved_at
FROM tried_numbers t JOIN unnest(CAST(:phones AS text[]), CAST(:times AS timestamptz[])) AS r (phone, at) ON {_PROVED_SINCE}
""")
_KEEP_PROOFS = text("""
UPDATE tried_numbers t SET proved_at = p.at
FROM unnest(CAST(:ids AS bigint[]), CAST(:phones AS text[]), CAST(:times AS timestamptz[])) AS p (contact_id, phone, at)
WHERE t.contact_id = p.contact_id AND t.phone = p.phone
""")
_LIFT = text("""
UPDATE phone_numbers
SET wrong_person_at = NULL, wrong_person_by = NULL, verified_at = :now, verified_how = NULL, verified_by = NULL
WHERE phone = :phone AND wrong_person_at IS NOT NULL RETURNING phone
""")


def park_numbers(
    session: Session, reports: Mapping[str, datetime], *, by: str, now: datetime, student_id: int | None = None
) -> list[str]:
    """Park numbers (E.164), list their contacts who take texts, and return those that were not parked before. The caller audits it.

    `reports` has the time at which each number is known to belong to someone else: staff who verified or typed it later are right.
    `by` is a Slack user or a source; `student_id` is the student in whose dialog it was recorded. Editors of the other students
    with the numbers are told.
    """
    lock_cleanup_list(session)
    values = {"phones": list(reports), "times": list(reports.values()), "by": by, "now": now}
    proofs = session.execute(_PROOFS_SINCE, values).all()
    parked = list(session.scalars(_PARK, values))
    if parked:
        ids, phones, times = ([proof[column] for proof in proofs] for column in range(3))
        session.execute(_KEEP_PROOFS, {"ids": ids, "phones": phones, "times": times})
        judge_numbers(session, Numbers(sorted(set(phones) & set(parked))), now=now)
        update_list(session, Numbers(parked), message_id=None, now=now)
        session.add(
            WrongPersonNotice(
                recorded_at=now, recorded_by=by, student_id=student_id, state=WrongPersonState.NEW, due_at=now
            )
        )
    return parked


def release_number(session: Session, phone: str, *, now: datetime) -> bool:
    """Return a verified number to texting; its deliveries decide its status, unless it opted out. False if it was not parked."""
    lock_cleanup_list(session)
    if session.execute(_LIFT, {"phone": phone, "now": now}).first() is None:
        return False
    judge_numbers(session, Numbers([phone]), now=now)
    update_list(session, Numbers([phone]), message_id=None, now=now)
    return True


def record_reassigned(session: Session, report: ReassignedNumber, *, now: datetime) -> bool:
    """Park a number that a provider reports as reassigned, and audit it for each contact with that number; False if it was not news."""
    at = min(report.at or now, now)
    if not park_numbers(session, {report.phone: at}, by=report.provider, now=now):
        return False
    audit.record_number(session, report.phone, actor=report.provider, action="wrong_person.reported", now=now)
    return True
