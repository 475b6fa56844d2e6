"""Cells that a spreadsheet opens as they were meant."""

BYTE_ORDER_MARK = "\ufeff"
"""At the head of a CSV: without it a spreadsheet takes UTF-8 for something else."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a formula begins, in full-width signs too (OWASP, CSV Injection)."""


def escape_cell(cell: str) -> str:
    """The cell of a CSV that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
