"""A mass message from its first delivery to settled: registered (in one go or in batches, or as rows that the district's own
sender writes), reported on by receipts that may come early, late, twice and in any order, and settled when every delivery
is final or its window has closed.
"""

from bot.mass_messages.applying import apply
from bot.mass_messages.registering import Counts, register
from bot.mass_messages.settling import Learned, due, settle

__all__ = ["Counts", "Learned", "apply", "due", "register", "settle"]
