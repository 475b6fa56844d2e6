"""The words that mean something in a filter, folded by `bot.domain.names.fold`, and the phrases that the help shows."""

from dataclasses import dataclass
from enum import StrEnum
from string import ascii_lowercase

from bot.domain.sms_status import STATUSES_BY_COLOR, Color, SmsStatus


@dataclass(frozen=True)
class Phrase:
    """An example that works as typed, and what it returns."""

    example: str
    meaning: str


# The help is made from these two tables, and every example is tested, so the help never promises too much.
GRAMMAR = (
    Phrase("grade 5 blocked", "grade 5 contacts whose number is blocked"),
    Phrase("5th", "one grade; `gr5`, `K` and `kinder` work too"),
    Phrase("grades 3-5", "several grades; `3,4` and `9th to 12th` work too"),
    Phrase("red", "contacts whose number is no longer good for texts; `yellow`: contacts whose number may still work"),
    Phrase(
        "landline, turned off",
        "one or more statuses: landline, turned off, unconfirmed, blocked, inactive, opt-out",
    ),
    Phrase("wrong number", "contacts whose number belongs to someone else; `wrong person` works too"),
    Phrase("no number", "contacts without a number that can be texted"),
    Phrase("no adult", "students on the list with no adult who can be texted"),
    Phrase("waiting", "contacts that were fixed and wait for the next mass message"),
    Phrase("mine", "contacts that you took care of with *I'll take it*; `claimed by me` works too"),
    Phrase("student O'Brien", "a student or contact by name; accents do not matter, and close spellings are found"),
    Phrase("teacher García", "the students of one teacher; `ms garcia` and `@Ana García` work too"),
    Phrase(
        "0142",
        "who has a phone that ends in 0142, on the list or not; `(248) 555-0142` and a student number work too",
    ),
    Phrase("school Lincoln", "the students of one school"),
    Phrase("letter B", "students whose last name begins with B"),
    Phrase('class "5B"', "the students of one class, by a word of its title; `5B` works too"),
)

# The first word of each is the command. A filter may follow where the example has one.
COMMANDS = (
    Phrase(
        "forecast grade 5",
        "before you send: who a mass message would reach and miss now, and which students have no adult who would get it",
    ),
    Phrase(
        "report grade 5",
        "how many students have an adult you can text, how that changed, and where most is left to do; "
        "`report schools`, `report grades` and `report teachers` compare",
    ),
    Phrase(
        "most grade 5", "what helps most: the fixes that give an adult to the most students; `priorities` works too"
    ),
    Phrase("next grade 5", "the next contact to fix that no colleague takes care of, one at a time"),
    Phrase(
        "unverified grade 5",
        "contacts who are not on the list, but whose number was not verified for 12 months; `unverified 6 months` works too",
    ),
    Phrase("pending grade 5", "changes made here that the student information system does not have yet"),
    Phrase(
        "subscribe grade 5",
        "in a channel: a digest there after each mass message, with counts only, never names; "
        "by teacher only in private channels; `subscribe weekly` posts the report there on Mondays",
    ),
    Phrase("unsubscribe", "ends the digest of a channel; `unsubscribe weekly` ends its weekly report"),
    Phrase("subscriptions", "which channels get a digest"),
    Phrase("import", "for the office: the delivery report of your messenger, where it sends us no results itself"),
    Phrase("help", "this page"),
)
COMMAND_WORDS = {phrase.example.split()[0]: " " in phrase.example for phrase in COMMANDS}

STATUS_SLUGS = {status: status.value.replace("_", "-") for status in SmsStatus}
_STATUS_PHRASES = {
    SmsStatus.LANDLINE: ("landline", "landlines", "home phone", "home phones", "voip"),
    SmsStatus.TURNED_OFF: ("turned off", "off", "switched off", "phone off", "powered off", "phone turned off"),
    SmsStatus.UNCONFIRMED: ("unconfirmed", "not confirmed", "unknown", "no receipt"),
    SmsStatus.BLOCKED: ("blocked", "block", "blocks", "blocking"),
    SmsStatus.INACTIVE: (
        *("inactive", "disconnected", "out of service", "invalid", "dead", "not in service", "no longer in service"),
        *("bad number", "bad numbers", "bad phone", "bad phones"),
    ),
    SmsStatus.OPT_OUT: (
        *("opt out", "opted out", "opt outs", "stop", "stopped", "texted stop", "said stop", "unsubscribed"),
        *("do not contact", "dont contact", "do not text", "dont text", "dnc"),
    ),
    SmsStatus.WRONG_PERSON: (
        *("wrong person", "wrong persons", "wrong people", "wrong number", "wrong numbers", "wrong phone"),
        *("wrong phones", "wrong", "wrong contact", "wrong contacts", "reassigned", "reassigned numbers"),
    ),
    SmsStatus.NO_NUMBER: (
        *("no number", "no numbers", "missing", "missing number", "missing numbers", "no phone", "no phones"),
        *("no phone number", "no phone numbers", "no cell", "no mobile", "without number", "without a number"),
        *("without phone", "without a phone", "without a phone number", "without phone number"),
    ),
}
_NO_ADULT_PHRASES = (
    *("no adult", "no parent", "no guardian", "without adult", "without an adult", "without parent"),
    *("without guardian", "no one", "nobody", "noone"),
)
# Keys have no blanks, so that `opt out`, `opt-out` and `optout` are the same.
STATUS_WORDS: dict[str, tuple[SmsStatus, ...]] = {
    **{phrase.replace(" ", ""): (status,) for status, phrases in _STATUS_PHRASES.items() for phrase in phrases},
    **{f"{color}{ending}": STATUSES_BY_COLOR[color] for color in Color for ending in ("", "s")},
}
_WAITING_PHRASES = (
    *("waiting", "fixed", "already fixed", "waiting for the next message", "waiting for next message"),
    *("waiting for the next mass message", "waiting for next mass message"),
)
_MINE_PHRASES = ("mine", "claimed by me", "my claims", "my claim", "claimed by myself", "i claimed")
# Words that set a field of a filter without a value, as keys without blanks.
FLAG_WORDS: dict[str, str] = {
    **{f"{phrase}{ending}".replace(" ", ""): "no_adult" for phrase in _NO_ADULT_PHRASES for ending in ("", "s")},
    **{phrase.replace(" ", ""): "waiting" for phrase in _WAITING_PHRASES},
    **{phrase.replace(" ", ""): "mine" for phrase in _MINE_PHRASES},
}
LONGEST_PHRASE = max(
    len(phrase.split())
    for phrases in (*_STATUS_PHRASES.values(), _WAITING_PHRASES, _MINE_PHRASES)
    for phrase in phrases
)
# Behind `not`, `cannot`, or `cannot be`: everyone on the list.
TEXTABLE = {"textable", "texted", "reachable", "reached", "contactable", "deliverable", "delivered"}
CANNOT = {"cannot", "cant", "not"}
NOT = {"not", "except", "excluding", "without", "but", "minus", "isnt", "arent"}

GRADE_KEYS = {"grade", "grades", "gr", "graders", "grader", "g", "grado", "grados"}
GRADE_NOUNS = GRADE_KEYS - {"g"}
# Words that are grades without `grade` beside them. Not `junior` and `senior`, which are names too.
BARE_GRADES = {
    *("k", "kg", "kinder", "kinders", "kindergarten", "kindergartner", "kindergartners", "kindergartener"),
    *("kindergarteners", "pk", "prek", "prekindergarten", "preschool", "pre", "tk", "ug", "ungraded"),
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"),
    *("twelfth", "freshman", "freshmen", "sophomore", "sophomores", "juniors", "seniors"),
    *GRADE_KEYS,
}
KEYED_GRADES = {
    *BARE_GRADES,
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "other"),
}
TWO_WORD_GRADES = {"prek", "prekinder", "prekindergarten", "transitionalkindergarten"}
AND = {"and", "or"}
UP_TO = {"to", "through", "thru", "till", "until"}

STATUS_KEYS = {"status", "statuses", "sms"}
TEACHER_KEYS = {"teacher", "teachers", "hr", "homeroom", "class"}
SCHOOL_KEYS = {"school", "schools", "at"}
STUDENT_KEYS = {"student", "name", "named", "called", "child", "kid", "surname", "lastname", "firstname"}
NAME_KEYS = TEACHER_KEYS | SCHOOL_KEYS | STUDENT_KEYS
PAGE_KEYS = {"page", "pages"}
LETTER_KEYS = {"letter", "letters"}
LETTERS = frozenset(ascii_lowercase)
NUMBER_KEYS = {"number", "numbers", "phone", "phones", "cell", "id"}
ROOM_KEYS = {"room", "rm"}
TITLES = {"mr", "mrs", "ms", "miss", "mx", "dr"}
TAUGHT = {"class", "classes", "classroom", "homeroom", "room", "student", "students", "kids", "children"}
SCHOOL_NOUNS = {"school", "schools", "campus"}
SCHOOL_KINDS = {
    *("elementary", "elem", "es", "primary", "intermediate", "middle", "secondary", "high", "hs", "academy"),
    *("preparatory", "prep", "charter", "magnet", "center"),
}
# Words that many schools share: without them only `lincoln` is left of Lincoln Elementary.
COMMON_IN_SCHOOLS = SCHOOL_KINDS | SCHOOL_NOUNS | {"the", "of", "at", "and", "jr", "junior", "sr", "senior", "k8", "st"}


class Topic(StrEnum):
    """What people ask for with words that are no filter. The card explains how to get it, or that it does not exist."""

    FILE = "file"
    CLAIMS = "claims"
    NO_SUCH_GRADE = "no_such_grade"


TOPIC_WORDS = {
    **dict.fromkeys(("download", "downloads", "export", "exports", "report", "reports"), Topic.FILE),
    **dict.fromkeys(("unclaimed", "claimed"), Topic.CLAIMS),
}
ASKING = {"can", "could", "would", "will"}
FILLERS = {
    *("a", "all", "and", "any", "are", "by", "cleanup", "contact", "contacts", "children", "currently", "dad", "dads"),
    *("everybody", "everyone", "families", "family", "father", "find", "for", "from", "give", "guardian", "guardians"),
    *("has", "have", "hello", "hey", "how", "in", "is", "just", "kids", "list", "many", "me", "mom", "moms"),
    *("mother", "my", "names", "need", "number", "numbers", "of", "on", "only", "ones", "or", "our", "parent"),
    *("parents", "phone", "phones", "please", "s", "show", "still", "students", "texts", "thanks", "that", "the"),
    *("unreachable", "undeliverable", "undelivered", "uncontactable", "untextable", "bounced", "bounces", "failed"),
    *("there", "this", "to", "today", "us", "want", "was", "were", "what", "which", "who", "whose", "with", "you"),
}
KEYS = GRADE_KEYS | STATUS_KEYS | NAME_KEYS | PAGE_KEYS | ROOM_KEYS | LETTER_KEYS
KEYS_AND_FILLERS = KEYS | FILLERS
# `g` and `page` are names where nothing follows that they could be keys of.
SKIPPED = FILLERS | KEYS - {"g", "page"}
# What ends a name: anything that means something else by itself.
ENDS_NAME = SKIPPED | TITLES

_SHORTEST_STATUS_WITH_TYPO = 6
STATUSES_WITH_TYPO = (
    *sorted(w for w in (*STATUS_WORDS, *FLAG_WORDS) if len(w) >= _SHORTEST_STATUS_WITH_TYPO),
    "kindergarten",
)
TOPICS_WITH_TYPO = ("download", "downloads", "export", "exports", "claimed", "unclaimed")
KEYS_WITH_TYPO = ("teacher", "student", "school", "status")
GRADE_KEYS_WITH_TYPO = ("grade", "grades")
