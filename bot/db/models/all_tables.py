"""Every table, for Alembic and the tests: importing this module registers the tables of all others."""

from bot.db.models import (
    bulk,
    counter,
    downloads,
    edits,
    erased_numbers,
    job_runs,
    listed_students,
    message_logs,
    messages,
    name_words,
    notices,
    refusals,
    reports,
    roster,
    scores,
    sis_writes,
    slack,
    teacher_questions,
    unclear_texts,
    views,
)
from bot.db.models.base import Base

MODULES = (
    bulk,
    counter,
    downloads,
    edits,
    erased_numbers,
    job_runs,
    listed_students,
    message_logs,
    messages,
    name_words,
    notices,
    refusals,
    reports,
    roster,
    scores,
    sis_writes,
    slack,
    teacher_questions,
    unclear_texts,
    views,
)
METADATA = Base.metadata
