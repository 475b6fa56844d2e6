"""What one can say after `/cleanup`: the table that the help is made from, so that the help never promises too much."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """One way of narrowing the list: an example that works as it stands, and what it gives."""

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
    Phrase(
        "student O'Brien", "a student or contact by name; accents do not matter, and a slip of the finger is forgiven"
    ),
    Phrase("teacher García", "the students of one teacher; `ms garcia` and a mention of her work too"),
    Phrase("school Lincoln", "the students of one school"),
)
