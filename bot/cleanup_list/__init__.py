"""Who is on the cleanup list and why, for one person's eyes: only students that person may see, worst first."""

from bot.cleanup_list.cards import ContactCard, EditNote, Evidence, RemovedContact, Sibling, StudentCard
from bot.cleanup_list.entries import Entry, entries
from bot.cleanup_list.forecast import Forecast, forecast
from bot.cleanup_list.latest import LATEST, Latest, latest, latest_of
from bot.cleanup_list.namesakes import namesakes
from bot.cleanup_list.near_names import near_names
from bot.cleanup_list.news import News, news
from bot.cleanup_list.pages import Page, page
from bot.cleanup_list.rows import ListedContact, StudentRow
from bot.cleanup_list.students import student_card
from bot.cleanup_list.suggestions import Suggestion
from bot.cleanup_list.touches import Touches, touches
from bot.cleanup_list.unlisted import unlisted
from bot.cleanup_list.unmet import unmet
from bot.cleanup_list.words import grades, vocabulary

__all__ = [
    "LATEST",
    "ContactCard",
    "EditNote",
    "Entry",
    "Evidence",
    "Forecast",
    "Latest",
    "ListedContact",
    "News",
    "Page",
    "RemovedContact",
    "Sibling",
    "StudentCard",
    "StudentRow",
    "Suggestion",
    "Touches",
    "entries",
    "forecast",
    "grades",
    "latest",
    "latest_of",
    "namesakes",
    "near_names",
    "news",
    "page",
    "student_card",
    "touches",
    "unlisted",
    "unmet",
    "vocabulary",
]
