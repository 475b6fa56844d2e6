"""Make one download in a process of its own: `python write_list.py DATABASE_URL none|csv|xlsx PATH`; `none` only reads the rows."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot import cleanup_list, db, downloads
from bot.access import Actor, Reach
from bot.filters import Filter
from bot.models import DownloadForm


def main(url, form, path):
    now = datetime.now(UTC)
    actor = Actor("UDANA", (), "Dana Diaz", "dana@district.example", Reach.DISTRICT, (), True, now.date())
    head = downloads.Head("Cleanup list", now, actor.name, (), ZoneInfo("America/Chicago"), "US", False)
    with Session(db.engine(url)) as session:
        entries = cleanup_list.entries(session, Filter(), actor=actor)
        rows = sum(1 for _ in entries) if form == "none" else downloads.write(DownloadForm(form), path, entries, head)
    print(rows)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
