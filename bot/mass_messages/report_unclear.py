"""The rows of a report that count for nothing, as a CSV: each with its line, the reason, and its own cells."""

import csv
import io

from bot.domain.spreadsheet import BYTE_ORDER_MARK, escape_cell
from bot.mass_messages.report_file import Table
from bot.mass_messages.report_preview import Preview


def write_unclear_rows(table: Table, preview: Preview) -> bytes:
    """Return the file. It holds what the report held, so it goes only to the person who gave us the report."""
    reasons = {problem.line: problem.reason for problem in preview.problems}
    content = io.StringIO(newline="")
    content.write(BYTE_ORDER_MARK)
    rows = csv.writer(content)
    rows.writerow(["Line", "Reason", *map(escape_cell, preview.report.layout.header.cells)])
    for row in table.rows:
        if row.line in reasons:
            rows.writerow([row.line, reasons[row.line], *map(escape_cell, row.cells)])
    return content.getvalue().encode()
