"""Names as SQL: full names, and folded names of staff and contacts, computed by the database, so that no writer can forget them.

The SQL function `folded_name` is `bot.domain.names.fold` of "Given Family", generated from the same rules; a test compares the two.
"""

import sys
from functools import cache
from itertools import groupby

from sqlalchemy import ColumnElement, Computed, SQLColumnExpression, func
from sqlalchemy.orm import Mapped, mapped_column

from bot.domain.display import NO_NAME
from bot.domain.names import SEPARATORS, SPELLINGS, is_dropped

_SURROGATES = range(0xD800, 0xE000)


def folded_name_column() -> Mapped[str]:
    """Return a generated column of the given and family names of its row."""
    return mapped_column(Computed("folded_name(given_name, family_name)", persisted=True))


def full_name(given: SQLColumnExpression[str], family: SQLColumnExpression[str]) -> ColumnElement[str]:
    """Return `bot.domain.display.full_name` as SQL."""
    return func.coalesce(func.nullif(func.btrim(given + " " + family), ""), NO_NAME)


@cache
def folded_name_sql() -> str:
    """Return the SQL that creates or replaces `folded_name`. NFKD comes first, so that accents become marks."""
    letters = {written: spelt for written, spelt in SPELLINGS.items() if len(spelt) == 1}
    folded = "lower(normalize(given || ' ' || family, NFKD))"
    folded = f"translate({folded}, '{''.join(letters)}', '{''.join(letters.values())}')"
    for written, spelt in SPELLINGS.items():
        if written not in letters:
            folded = f"replace({folded}, '{written}', '{spelt}')"
    folded = f"regexp_replace({folded}, '[{_dropped()}]', '', 'g')"
    return rf"""
CREATE OR REPLACE FUNCTION folded_name(given text, family text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
trim(regexp_replace({folded}, '[{SEPARATORS}\s]+', ' ', 'g'))
"""


def _dropped() -> str:
    """Return the characters that a folded name leaves out, as ranges of a regular expression."""
    codes = (code for code in range(1, sys.maxunicode + 1) if code not in _SURROGATES and is_dropped(chr(code)))
    runs = (list(run) for _, run in groupby(enumerate(codes), lambda numbered: numbered[1] - numbered[0]))
    return "".join(rf"\U{run[0][1]:08x}-\U{run[-1][1]:08x}" for run in runs)
