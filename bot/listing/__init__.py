"""Who joins the cleanup list, changes on it and leaves it. The list follows what settled mass messages say of numbers, not
of contacts: whoever shares a number shares its fate. Between messages only a STOP or START moves anybody.
"""

from bot.listing.entries import Moves, follow
from bot.listing.evidence import STRENGTH, sender_faults, senders_fault, strength
from bot.listing.names import follow_names
from bot.listing.numbers import Everyone, Phones, judge
from bot.listing.opting import OptOut, opted_in, opted_out
from bot.listing.turns import one_at_a_time

__all__ = [
    "STRENGTH",
    "Everyone",
    "Moves",
    "OptOut",
    "Phones",
    "follow",
    "follow_names",
    "judge",
    "one_at_a_time",
    "opted_in",
    "opted_out",
    "sender_faults",
    "senders_fault",
    "strength",
]
