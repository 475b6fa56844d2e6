"""What a provider's parser returns, apart from texts that are no keyword."""

from bot.providers.receipt import FamilyText


def counted(parsed):
    """Return the reports that count by themselves; the others are texts that a later step reads."""
    return [report for report in parsed if not isinstance(report, FamilyText)]
