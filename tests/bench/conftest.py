import socket

import pytest
from support.office import office, office_engine, organization, settings_changed, slack_waits  # noqa: F401 - fixtures.


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]
