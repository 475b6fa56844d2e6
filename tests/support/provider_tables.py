"""The tables of provider codes that the product has to match: `tests/providers/<provider>_codes.csv`."""

import csv
from pathlib import Path


def code_rows(provider):
    """Return one row per code: its `code` as in our table, its `outcome`, and our `confidence` in it (H, M, or L)."""
    path = Path(__file__).parents[1] / "providers" / f"{provider}_codes.csv"
    return list(csv.DictReader(path.read_text().splitlines()))
