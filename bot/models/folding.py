"""Folded names of staff and contacts, computed by the database so that a search over the whole list needs no second writer.

`folded_name` is `bot.names.fold` of "Given Family" in SQL; a test holds the two together.
"""

from sqlalchemy import Computed
from sqlalchemy.orm import Mapped, mapped_column

# NFKD first, so that accents become marks; the second pattern drops marks, apostrophes, hyphens and hidden characters.
FOLDED_NAME = r"""
CREATE FUNCTION folded_name(given text, family text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
trim(
    regexp_replace(
        regexp_replace(
            replace(replace(replace(
                translate(lower(normalize(given || ' ' || family, NFKD)), 'đðøłħıŧ', 'ddolhit'),
            'æ', 'ae'), 'œ', 'oe'), 'ß', 'ss'),
            '[,;/()\s]+', ' ', 'g'
        ),
        '[!-.:-@\[-`{-~\u00a1-\u00bf\u0300-\u036f\u200b-\u200f\u2010-\u206f\ufeff]', '', 'g'
    )
)
"""


def folded_name() -> Mapped[str]:
    """A column kept by the database from the given and family names of its row."""
    return mapped_column(Computed("folded_name(given_name, family_name)", persisted=True))
