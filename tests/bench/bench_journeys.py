"""How much code a reader walks through: the functions, files, and jumps between files of four journeys.

    .venv/bin/python -m pytest -s -o python_files="bench_*.py" tests/bench/bench_journeys.py

A function counts once, however often it runs; a jump is a call from one file of the product into another. `LIST=1` lists them in
the order of their first calls, with their lengths.
"""

import inspect
import os
import sys
import threading
from pathlib import Path

import pytest
from support import mass_messages, people, screens, sis_bundles

import bot
from bot.db.models.roster import SyncRun
from bot.mass_messages.receipts import record_receipts
from bot.sis import oneroster_csv
from bot.sync.run import run_sync

ROOT = str(Path(bot.__file__).parent)


class Journey:
    """Counts the calls of the product's own functions while `recording`."""

    def __init__(self):
        self.recording = False

    def __call__(self, frame, event, _argument):
        if event != "call" or not self.recording or not _is_ours(frame):
            return
        self.functions[frame.f_code] = None
        caller = frame.f_back
        while caller is not None and not _is_ours(caller):
            caller = caller.f_back
        if caller is not None and caller.f_code.co_filename != frame.f_code.co_filename:
            self.jumps += 1

    def __enter__(self):
        self.functions, self.jumps, self.recording = {}, 0, True
        sys.setprofile(self)

    def __exit__(self, *_error):
        self.recording = False
        sys.setprofile(None)

    def report(self, name):
        files = {code.co_filename for code in self.functions}
        print(f"\n{name}: {len(self.functions)} functions in {len(files)} files, {self.jumps} jumps")
        for code in self.functions if os.environ.get("LIST") else ():
            length = len(inspect.getsourcelines(code)[0])
            print(f"    {length:3} lines  {Path(code.co_filename).relative_to(ROOT)}: {code.co_qualname}")


def _is_ours(frame):
    """Functions of the product with a name: no module bodies, comprehensions, or lambdas; nothing of the sandbox."""
    code = frame.f_code
    is_product = code.co_filename.startswith(ROOT) and "/sandbox/" not in code.co_filename
    return is_product and not code.co_name.startswith("<")


@pytest.fixture(scope="module")
def journey():
    """Threads inherit the profiler when they start, so it is installed before the office opens."""
    journey = Journey()
    threading.setprofile(journey)
    yield journey
    threading.setprofile(None)


@pytest.fixture
def listed(journey, office, session):
    """Two listed contacts of grade 5; a first command has filled the caches."""
    for given in ("Sam", "Lea"):
        student = people.student(session, given, at=office.district.lincoln)
        people.list_contact(session, people.contact(session, student))
    session.add(SyncRun(source="x", started_at=people.NOW, finished_at=people.NOW, state="done"))
    session.commit()
    return office.clara.command("/cleanup", "grade 5 blocked").message


def test_command(journey, office, listed):
    with journey:
        office.clara.command("/cleanup", "grade 5 blocked")
    journey.report("/cleanup grade 5 blocked")


def test_save(journey, office, listed):
    clara = office.clara
    first = next(block["accessory"]["value"] for block in listed.blocks if "accessory" in block)
    screens.open_student(clara, listed, value=first)
    clara.press(clara.view, action_id="contact.edit")
    form = clara.fill(clara.view, {"phone": "(312) 555-7177"})
    with journey:
        form.submit()
        office.wait_for_lazy_listeners()
    journey.report("Save of an edit")


def test_receipt(journey, session, now):
    student = people.student(session)
    contact = people.contact(session, student)
    delivery = mass_messages.a_delivery(contact)
    mass_messages.register(session, mass_messages.a_message(delivery, sent_at=now), now=now)
    receipt = mass_messages.a_receipt(delivery["provider_id"], "blocked")
    with journey:
        record_receipts(session, [receipt], now=now)
    journey.report("A delivery receipt")


def test_sync(journey, empty_database, tmp_path, now):
    bundle = sis_bundles.write(sis_bundles.a_district(), tmp_path)
    with journey:
        run_sync(empty_database, oneroster_csv.Export(bundle), now=now, region="US", hold_percent=5)
    journey.report("A sync")
