"""The columns of OneRoster CSV that matter here: what each file is asked for, what it cannot do without, and old names."""

from bot.sis.columns import Columns
from bot.sis.rows import Kind

_MARKS = ("sourcedId", "status", "dateLastModified")
COLUMNS = {
    Kind.ORGS: (*_MARKS, "name", "type", "parentSourcedId"),
    Kind.SESSIONS: (*_MARKS, "startDate", "endDate"),
    Kind.CLASSES: (*_MARKS, "title", "classCode", "classType", "schoolSourcedId", "termSourcedIds"),
    Kind.USERS: (
        *_MARKS,
        "enabledUser",
        "givenName",
        "familyName",
        "email",
        "sms",
        "phone",
        "agentSourcedIds",
        "grades",
        "role",
        "orgSourcedIds",
        "primaryOrgSourcedId",
        "identifier",
    ),
    Kind.ROLES: (*_MARKS, "userSourcedId", "role", "beginDate", "endDate", "orgSourcedId"),
    Kind.ENROLLMENTS: (*_MARKS, "classSourcedId", "userSourcedId", "role", "primary", "beginDate", "endDate"),
}
REQUIRED = {
    Kind.ORGS: ("sourcedId", "name", "type"),
    Kind.SESSIONS: ("sourcedId", "startDate", "endDate"),
    Kind.CLASSES: ("sourcedId",),
    Kind.USERS: ("sourcedId", "givenName", "familyName"),
    Kind.ROLES: ("userSourcedId", "role"),
    Kind.ENROLLMENTS: ("sourcedId", "classSourcedId", "userSourcedId", "role"),
}
NEEDED_CELLS = {
    Kind.ORGS: ("sourcedId", "name"),
    Kind.SESSIONS: ("sourcedId",),
    Kind.CLASSES: ("sourcedId",),
    Kind.USERS: ("sourcedId",),
    Kind.ROLES: ("userSourcedId",),
    Kind.ENROLLMENTS: ("sourcedId", "classSourcedId", "userSourcedId"),
}
OLD_NAMES = {
    "agents": "agentSourcedIds",
    "orgs": "orgSourcedIds",
    "orgSourcedId": "orgSourcedIds",
    "grade": "grades",
    "classId": "classSourcedId",
    "userId": "userSourcedId",
    "schoolId": "schoolSourcedId",
    "terms": "termSourcedIds",
    "termSourcedId": "termSourcedIds",
    "primaryOrg": "primaryOrgSourcedId",
}


FORMS = {kind: Columns(named, REQUIRED[kind], NEEDED_CELLS[kind], OLD_NAMES) for kind, named in COLUMNS.items()}
