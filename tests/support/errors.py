"""Errors that people read: tests assert on their code, not on their sentence."""

from contextlib import contextmanager

import pytest

from bot.errors import UserError


@contextmanager
def refused(code, *, field=None):
    """Expect a `UserError` with this code (and field); yields the exception info."""
    with pytest.raises(UserError) as caught:
        yield caught
    assert caught.value.code == code
    assert field is None or caught.value.field == field
