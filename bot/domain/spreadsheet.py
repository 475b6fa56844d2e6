"""Cells of CSV files that a spreadsheet opens as they were meant."""

# At the start of a CSV: without it a spreadsheet does not read the file as UTF-8.
BYTE_ORDER_MARK = "\ufeff"
# How a formula begins, in full-width signs too (OWASP, CSV Injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_cell(cell: str) -> str:
    """Return the cell so that no spreadsheet runs it as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
