"""Make one download in a process of its own: `python write_list.py DATABASE_URL none|csv|xlsx PATH`; `none` only reads the rows."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.access.rights import AccessLevel, Actor
from bot.cleanup_list.export_rows import iter_export_rows
from bot.db.engine import build_engine
from bot.db.models.downloads import DownloadForm
from bot.downloads.list_file import FileHeader, write_list
from bot.filters.filter import Filter


def main(url, form, path):
    now = datetime.now(UTC)
    actor = Actor("UDANA", (), "Dana Diaz", "dana@district.example", AccessLevel.DISTRICT, (), True, now.date())
    head = FileHeader("Cleanup list", "Cleanup list", now, actor.name, (), ZoneInfo("America/Chicago"), "US", False)
    with Session(build_engine(url)) as session:
        entries = iter_export_rows(session, Filter(), actor=actor)
        rows = sum(1 for _ in entries) if form == "none" else write_list(DownloadForm(form), path, entries, head).rows
    print(rows)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
