"""What one can say after `/cleanup`: the tables that the help is made from, so that the help never promises too much."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """One thing to say: an example that works as it stands, and what it gives."""

    example: str
    meaning: str


GRAMMAR = (
    Phrase("grade 5 blocked", "grade 5 contacts whose number is blocked"),
    Phrase("5th", "one grade; `gr5`, `K` and `kinder` work too"),
    Phrase("grades 3-5", "several grades; `3,4` and `9th to 12th` work too"),
    Phrase("red", "every status that is no longer valid for texting; or `yellow`: may still work"),
    Phrase(
        "landline, turned off", "one status or several: landline, turned off, unconfirmed, blocked, inactive, opt-out"
    ),
    Phrase("no number", "contacts without a number that could be texted"),
    Phrase("no adult", "students on the list of whom no adult can be texted"),
    Phrase(
        "student O'Brien", "a student or contact by name; accents do not matter, and a slip of the finger is forgiven"
    ),
    Phrase("teacher García", "the students of one teacher; `ms garcia` and a mention of her work too"),
    Phrase("school Lincoln", "the students of one school"),
)
"""How the list is narrowed."""

COMMANDS = (
    Phrase(
        "forecast grade 5",
        "before you send: whom a mass message would reach and miss now, and which students have no adult who would get it",
    ),
    Phrase("pending", "what was changed here and the student information system does not have yet"),
    Phrase(
        "subscribe grade 5",
        "in a channel: a digest there after each mass message, counts only, never a name; by teacher only in private channels",
    ),
    Phrase("unsubscribe", "ends the digest of a channel"),
    Phrase("subscriptions", "which channels get a digest"),
    Phrase("help", "what you are reading"),
)
"""What else can be asked; the first word of each is the command, and a filter may follow where one does here."""
