"""What staff change of a contact: phone, contact method, removal, and undoing each; and a spoken STOP, which nobody undoes. Nothing
here writes over the SIS.

Every verb locks the contact first, so that of two people who save at once the second learns what the first one saved.
"""

from bot.contact_edits.change import Change, change, switch_to_call, use_number
from bot.contact_edits.conflict import settle_conflict
from bot.contact_edits.removal import bring_back, remove
from bot.contact_edits.spoken_stop import record_stop
from bot.contact_edits.standing import Stale
from bot.contact_edits.undo import undo

__all__ = [
    "Change",
    "Stale",
    "bring_back",
    "change",
    "record_stop",
    "remove",
    "settle_conflict",
    "switch_to_call",
    "undo",
    "use_number",
]
