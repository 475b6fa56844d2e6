"""The roster: what the SIS says, brought into our tables each night. Edits of staff stand beside it and survive.

Everything is staged first, outside all locks; what differs is worked out by the database, set-wise; then each table is
merged in one short transaction that touches only what changed. Nothing that grows with the district is in memory.
"""

from bot.roster.brake import Braked
from bot.roster.deciding import confirmed, decide
from bot.roster.report import FileCounts, SyncReport, TableCounts
from bot.roster.run import sync
from bot.roster.runs import FRESH

__all__ = [
    "FRESH",
    "Braked",
    "FileCounts",
    "SyncReport",
    "TableCounts",
    "confirmed",
    "decide",
    "sync",
]
