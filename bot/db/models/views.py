"""Views that every reader uses: the edit if there is one, else the SIS value. `effective_contacts` and `reachability` are also for other
applications of the district.

A removal hides a link, and an edit in force hides the SIS value; no other code repeats either rule. `sms_status` says nothing
about a typed number that no mass message went to yet through this contact (`is_tried`); `opted_out`, which senders obey, is
true for every number that texted STOP, belongs to the wrong person (unless this contact proved it since), or has a note of the
SIS against texts, so it is never shown to people.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    MetaData,
    ScalarSelect,
    Select,
    SmallInteger,
    Table,
    Text,
    and_,
    select,
)

from bot.db.models.base import ContactMethod
from bot.db.models.edits import IN_FORCE, Edit, EditField
from bot.db.models.roster import Contact

CONTACT_REACH = """
CREATE VIEW contact_reach AS
SELECT c.id AS contact_id,
       c.sourced_id,
       c.given_name,
       c.family_name,
       c.email,
       CASE WHEN p.id IS NULL THEN c.sis_phone ELSE p.value END AS phone,
       CASE WHEN m.id IS NULL THEN c.sis_method ELSE m.value END AS method,
       p.id AS phone_edit_id,
       m.id AS method_edit_id,
       p.id IS NULL OR EXISTS (SELECT FROM tried_numbers t WHERE t.contact_id = c.id AND t.phone = p.value) AS is_tried
FROM contacts c
LEFT JOIN edits p ON p.contact_id = c.id AND p.field = 'phone' AND p.state IN ('pending', 'conflict')
LEFT JOIN edits m ON m.contact_id = c.id AND m.field = 'method' AND m.state IN ('pending', 'conflict')
WHERE c.active
"""

# SQL for a link `l` of a student and a contact: the contact was not removed, from this student or from all.
NOT_REMOVED = """NOT EXISTS (
      SELECT FROM removals x
      WHERE x.contact_id = l.contact_id AND (x.student_id = l.student_id OR x.student_id IS NULL) AND x.undone_at IS NULL
  )"""

# SQL for a number `n`: the cases of its SMS status.
_STATUS_CASES = """WHEN n.opted_out_at IS NOT NULL THEN 'opt_out'
            WHEN {is_parked} THEN 'wrong_person'
            WHEN n.noted = 'refused' THEN 'opt_out'
            WHEN n.noted IS NOT NULL THEN 'inactive'
            ELSE {status} END"""
_STATUS = "nullif(n.status, 'wrong_person')"  # For a contact who proved the number, and is not parked.
NUMBER_STATUS = f"CASE {_STATUS_CASES.format(is_parked='n.wrong_person_at IS NOT NULL', status=_STATUS)}"
# SQL for a number `n` of a contact `r`: it belongs to the wrong person, and the contact did not prove it since. A later record of the
# wrong person clears the proof.
_IS_PARKED = """(n.wrong_person_at IS NOT NULL AND NOT EXISTS (
      SELECT FROM tried_numbers t
      WHERE t.contact_id = r.contact_id AND t.phone = n.phone AND t.proved_at IS NOT NULL
  ))"""

EFFECTIVE_CONTACTS = f"""
CREATE VIEW effective_contacts AS
SELECT s.id AS student_id,
       s.sourced_id AS student_sourced_id,
       r.contact_id,
       r.sourced_id AS contact_sourced_id,
       r.given_name,
       r.family_name,
       r.email,
       l.relationship,
       l.priority,
       r.phone,
       r.method,
       CASE WHEN NOT r.is_tried THEN NULL
            {_STATUS_CASES.format(is_parked=_IS_PARKED, status=_STATUS)} AS sms_status,
       n.opted_out_at IS NOT NULL OR {_IS_PARKED} OR n.noted IS NOT NULL AS opted_out,
       r.is_tried
FROM student_contacts l
JOIN students s ON s.id = l.student_id AND s.active
JOIN contact_reach r ON r.contact_id = l.contact_id
LEFT JOIN phone_numbers n ON n.phone = r.phone
WHERE l.active
  AND {NOT_REMOVED}
"""

# Every id by which a contact is known: their own, and those they had before, under which deliveries were stored.
CONTACT_IDS = """
CREATE VIEW contact_ids AS
SELECT id AS contact_id, sourced_id FROM contacts
UNION ALL
SELECT contact_id, sourced_id FROM former_contact_ids
"""

# The scores of the newest day, for other applications of the district. Counts only, but of groups of any size.
REACHABILITY = """
CREATE VIEW reachability AS
SELECT s.day, s.kind, o.sourced_id AS school_sourced_id, o.name AS school, nullif(s.grade, '') AS grade,
       t.sourced_id AS staff_sourced_id, s.students, s.delivered, s.textable, s.reachable, s.unreachable,
       s.to_fix, s.fixed, s.confirmed
FROM reachability_scores s
LEFT JOIN schools o ON o.id = s.school_id
LEFT JOIN staff t ON t.id = s.staff_id
WHERE s.day = (SELECT max(day) FROM reachability_scores)
"""

_views = MetaData()

contact_reach = Table(
    "contact_reach",
    _views,
    Column("contact_id", BigInteger, nullable=False),
    Column("sourced_id", Text, nullable=False),
    Column("phone", Text),
    Column("method", Text, nullable=False),
    Column("phone_edit_id", BigInteger),
    Column("method_edit_id", BigInteger),
    Column("is_tried", Boolean, nullable=False),
)

effective_contacts = Table(
    "effective_contacts",
    _views,
    Column("student_id", BigInteger, nullable=False),
    Column("student_sourced_id", Text, nullable=False),
    Column("contact_id", BigInteger, nullable=False),
    Column("contact_sourced_id", Text, nullable=False),
    Column("given_name", Text, nullable=False),
    Column("family_name", Text, nullable=False),
    Column("email", Text),
    Column("relationship", Text),
    Column("priority", SmallInteger),
    Column("phone", Text),
    Column("method", Text, nullable=False),
    Column("sms_status", Text),
    Column("opted_out", Boolean, nullable=False),
    Column("is_tried", Boolean, nullable=False),
)

# A contact who can be texted, as far as the last mass messages showed.
textable = and_(
    effective_contacts.c.method == ContactMethod.TEXT,
    effective_contacts.c.phone.is_not(None),
    effective_contacts.c.sms_status.is_(None),
)


def contacts_with_phone(phone: str | ScalarSelect[str | None]) -> Select[int]:
    """Return a query of the ids of the active contacts with this number, edit-or-SIS, found by the indexes of both."""
    by_sis = select(Contact.id).where(Contact.sis_phone == phone)
    by_edit = select(Edit.contact_id).where(
        Edit.value == phone, Edit.field == EditField.PHONE, Edit.state.in_([str(state) for state in IN_FORCE])
    )
    reach = contact_reach.c
    return select(reach.contact_id).where(reach.contact_id.in_(by_sis.union(by_edit)), reach.phone == phone)
