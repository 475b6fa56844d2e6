"""The words that mean something in a filter, as `bot.domain.names.fold` writes them."""

from bot.domain.sms_status import Color, SmsStatus, statuses_with_color
from bot.filters import grammar

STATUS_SLUGS = {
    SmsStatus.LANDLINE: "landline",
    SmsStatus.TURNED_OFF: "turned-off",
    SmsStatus.UNCONFIRMED: "unconfirmed",
    SmsStatus.BLOCKED: "blocked",
    SmsStatus.INACTIVE: "inactive",
    SmsStatus.OPT_OUT: "opt-out",
    SmsStatus.NO_NUMBER: "no-number",
}

_SAID = {
    SmsStatus.LANDLINE: ("landline", "landlines", "home phone", "home phones"),
    SmsStatus.TURNED_OFF: ("turned off", "off", "switched off", "phone off", "powered off", "phone turned off"),
    SmsStatus.UNCONFIRMED: ("unconfirmed", "not confirmed", "unknown", "no receipt"),
    SmsStatus.BLOCKED: ("blocked", "block", "blocks", "blocking"),
    SmsStatus.INACTIVE: (
        *("inactive", "disconnected", "out of service", "invalid", "dead", "wrong number", "wrong numbers"),
        *("not in service", "no longer in service"),
    ),
    SmsStatus.OPT_OUT: (
        *("opt out", "opted out", "opt outs", "stop", "stopped", "texted stop", "said stop", "unsubscribed"),
    ),
    SmsStatus.NO_NUMBER: (
        *("no number", "no numbers", "missing", "missing number", "missing numbers", "no phone", "no phones"),
        *("no phone number", "no phone numbers", "no cell", "no mobile", "without number", "without a number"),
        *("without phone", "without a phone", "without a phone number", "without phone number"),
    ),
}
STATUS_WORDS: dict[str, tuple[SmsStatus, ...]] = {
    **{said.replace(" ", ""): (status,) for status, words in _SAID.items() for said in words},
    **{f"{colour}{plural}": statuses_with_color(colour) for colour in Color for plural in ("", "s")},
}
"""Without blanks, so that `opt out`, `opt-out` and `optout` are the same."""
LONGEST_STATUS = max(len(said.split()) for words in _SAID.values() for said in words)
_NO_ADULT = (
    "no adult",
    "no parent",
    "no guardian",
    "without adult",
    "without an adult",
    "without parent",
    "without guardian",
)
NO_ADULT = {said.replace(" ", "") + plural for said in _NO_ADULT for plural in ("", "s")}
LONGEST_NO_ADULT = max(len(said.split()) for said in _NO_ADULT)
NOT = {"not", "except", "excluding", "without", "but", "minus", "isnt", "arent"}

GRADE_KEYS = {"grade", "grades", "gr", "graders", "grader", "g", "grado", "grados"}
BARE_GRADES = {
    *("k", "kg", "kinder", "kinders", "kindergarten", "kindergartner", "kindergartners", "kindergartener"),
    *("kindergarteners", "pk", "prek", "prekindergarten", "preschool", "tk", "ug", "ungraded"),
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"),
    *("twelfth", "freshman", "freshmen", "sophomore", "sophomores", "juniors", "seniors"),
}
"""Not `junior` and `senior`, which are names too."""
NUMBERS = {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}
GRADES_OF_TWO_WORDS = {"prek", "prekinder", "prekindergarten", "transitionalkindergarten"}
AND = {"and", "or"}
UP_TO = {"to", "through", "thru", "till", "until"}

STATUS_KEYS = {"status", "statuses", "sms"}
TEACHER_KEYS = {"teacher", "teachers", "hr", "homeroom", "class"}
SCHOOL_KEYS = {"school", "schools", "at"}
STUDENT_KEYS = {"student", "name", "named", "called", "child", "kid", "surname", "lastname", "firstname"}
NAME_KEYS = TEACHER_KEYS | SCHOOL_KEYS | STUDENT_KEYS
PAGE_KEYS = {"page", "pages"}
ROOM_KEYS = {"room", "rm"}
TITLES = {"mr", "mrs", "ms", "miss", "mx", "dr"}
TAUGHT = {"class", "classes", "classroom", "homeroom", "room", "student", "students", "kids", "children"}
SCHOOL_NOUNS = {"school", "schools", "campus"}
SCHOOL_KINDS = {
    *("elementary", "elem", "es", "primary", "intermediate", "middle", "secondary", "high", "hs", "academy"),
    *("preparatory", "prep", "charter", "magnet", "center"),
}
COMMON_IN_SCHOOLS = SCHOOL_KINDS | SCHOOL_NOUNS | {"the", "of", "at", "and", "jr", "junior", "sr", "senior", "k8", "st"}
"""What tells no school from another; `lincoln` is all that is left of Lincoln Elementary."""
ASKING = {"can", "could", "would", "will"}
COMMANDS = {phrase.example.split()[0] for phrase in grammar.COMMANDS}
FILLERS = {
    *("a", "all", "and", "any", "are", "by", "cleanup", "contact", "contacts", "children", "currently", "dad", "dads"),
    *("everybody", "everyone", "families", "family", "father", "find", "for", "from", "give", "guardian", "guardians"),
    *("has", "have", "hello", "hey", "how", "in", "is", "just", "kids", "list", "many", "me", "mine", "mom", "moms"),
    *("mother", "my", "names", "need", "number", "numbers", "of", "on", "only", "ones", "or", "our", "parent"),
    *("parents", "phone", "phones", "please", "s", "show", "still", "students", "texts", "thanks", "that", "the"),
    *("there", "this", "to", "today", "us", "want", "was", "were", "what", "which", "who", "whose", "with", "you"),
}
KEYS = GRADE_KEYS | STATUS_KEYS | TEACHER_KEYS | SCHOOL_KEYS | STUDENT_KEYS | PAGE_KEYS | ROOM_KEYS
ONLY_KEYS = KEYS - {"g", "page"}
"""Without those that are names where nothing follows that they could be keys of."""
KEYS_AND_FILLERS = KEYS | FILLERS
GRADE_NOUNS = GRADE_KEYS - {"g"}
