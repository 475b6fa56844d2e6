"""Preview or import a report: `python import_report.py DATABASE_URL none|preview|import FILE`. Prints how many rows were delivered or not."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.db.engine import build_engine
from bot.db.session import transaction
from bot.mass_messages.report_import import ResultsMessage, import_file
from bot.mass_messages.report_preview import ReportFile

url, what, path = sys.argv[1:]
now = datetime.now(UTC)
if what != "none":
    file = ReportFile(Path(path).name, Path(path).read_bytes())
    message = ResultsMessage(f"snow {path}", "Snow day", now) if what == "import" else None
    with transaction(build_engine(url)) as session:
        result = import_file(
            session,
            file,
            message,
            words={},
            columns={},
            actor="bench",
            now=now,
            settle_after=timedelta(days=1),
            region="US",
        )
    print(result.preview.delivered + result.preview.not_delivered)
