"""What each provider's codes mean, as the district was told of them: `<provider>_codes.csv`, beside the tests."""

import csv
from pathlib import Path


def told(provider):
    """A row a code: its `code` as our table writes it, its `outcome`, and the `confidence` in that (H, M or L)."""
    path = Path(__file__).parents[1] / "providers" / f"{provider}_codes.csv"
    return list(csv.DictReader(path.read_text().splitlines()))
