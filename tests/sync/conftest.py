import pytest
from support.sis_nights import Nights


@pytest.fixture
def first_night(empty_database, tmp_path):
    return Nights(empty_database, tmp_path / "export")


@pytest.fixture
def nights(first_night):
    """A district that was synced once."""
    first_night.sync_first()
    return first_night
