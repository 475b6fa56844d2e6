"""Counting the scores of a whole district: its cost beside one scan of the links between students and contacts.

STUDENTS=100000 .venv/bin/python -m pytest -s -o python_files="bench_*.py" tests/bench/bench_scores.py
"""

import os
import time
from datetime import UTC, datetime
from statistics import median
from zoneinfo import ZoneInfo

from listed_district import build
from sqlalchemy import text

from bot.db.session import transaction
from bot.reachability.record import record_scores

STUDENTS = int(os.environ.get("STUDENTS", "1000000"))
RUNS = 3
_SCAN = text("SELECT count(*) FILTER (WHERE active) FROM student_contacts")


def scan(engine):
    with engine.connect() as connection:
        began = time.perf_counter()
        connection.execute(_SCAN).all()
        return time.perf_counter() - began


def record(engine):
    with transaction(engine) as session:
        began = time.perf_counter()
        groups = record_scores(session, datetime.now(UTC).date(), zone=ZoneInfo("America/Chicago"), reachable_days=120)
        return time.perf_counter() - began, groups


def test_scores_of_a_district(empty_database):
    build(empty_database, STUDENTS)
    floor = median(scan(empty_database) for _ in range(RUNS))
    times, groups = zip(*(record(empty_database) for _ in range(RUNS)), strict=True)
    seconds = median(times)
    print(
        f"\n{STUDENTS:,} students, {groups[0]:,} groups: scan {floor * 1000:.0f} ms, counted in {seconds:.2f} s", end=""
    )
    print(f" ({seconds / floor:.1f} x)")
