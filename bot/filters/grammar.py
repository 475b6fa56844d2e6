"""What one can say after `/cleanup`: the tables that the help is made from, so that the help never promises too much."""

from dataclasses import dataclass

from bot.wording import say


@dataclass(frozen=True)
class Phrase:
    """One thing to say: an example that works as it stands, and the name under which it is explained."""

    example: str
    name: str

    @property
    def meaning(self) -> str:
        """What it gives."""
        return say(f"filters.meaning.{self.name}")


GRAMMAR = (
    Phrase("grade 5 blocked", "grade_and_status"),
    Phrase("5th", "grade"),
    Phrase("grades 3-5", "grades"),
    Phrase("red", "colour"),
    Phrase("landline, turned off", "statuses"),
    Phrase("no number", "no_number"),
    Phrase("no adult", "no_adult"),
    Phrase("student O'Brien", "student"),
    Phrase("teacher García", "teacher"),
    Phrase("school Lincoln", "school"),
)
"""How the list is narrowed."""

COMMANDS = (
    Phrase("forecast grade 5", "forecast"),
    Phrase("pending grade 5", "pending"),
    Phrase("subscribe grade 5", "subscribe"),
    Phrase("unsubscribe", "unsubscribe"),
    Phrase("subscriptions", "subscriptions"),
    Phrase("help", "help"),
)
"""What else can be asked; the first word of each is the command, and a filter may follow where one does here."""
