"""Which source the settings name; what contradicts itself is refused with one sentence."""

import pytest
from pydantic import SecretStr
from support.errors import refused

from bot.settings import Settings
from bot.sis.choose_source import choose_source
from bot.sis.oneroster_csv import Export
from bot.sis.oneroster_rest import Server

URL = {"sis_oneroster_url": "https://sis.example/ims/oneroster/v1p1"}
CLIENT = {"sis_oneroster_client_id": "a client", "sis_oneroster_client_secret": SecretStr("a-secret")}
TOKEN = {"sis_oneroster_token": SecretStr("a-token")}
CSV = {"sis_oneroster_csv": "export"}


def choose(*parts):
    values = {name: value for part in parts for name, value in part.items()}
    return choose_source(Settings(_env_file=None, **values))


def test_complete_settings_name_a_source():
    assert choose() is None
    assert isinstance(choose(CSV), Export)
    assert isinstance(choose(CSV, CLIENT), Export)
    with_client, with_token = choose(URL, CLIENT), choose(URL, TOKEN)
    assert isinstance(with_client, Server)
    assert (with_client.client_id, with_client.client_secret, with_client.token) == ("a client", "a-secret", "")
    assert (with_token.client_id, with_token.token) == ("", "a-token")
    assert "a-secret" not in repr(with_client)
    assert "a-token" not in repr(with_token)


@pytest.mark.parametrize(
    ("parts", "code", "named"),
    [
        ([URL, CSV], "sis.two_sources", ["SIS_ONEROSTER_URL", "SIS_ONEROSTER_CSV"]),
        ([URL, TOKEN, CLIENT], "sis.two_credentials", ["SIS_ONEROSTER_TOKEN", "SIS_ONEROSTER_CLIENT_ID"]),
        (
            [URL, TOKEN, {"sis_oneroster_token_url": "https://sis.example/token"}],
            "sis.two_credentials",
            ["SIS_ONEROSTER_TOKEN", "SIS_ONEROSTER_TOKEN_URL"],
        ),
        ([URL], "sis.no_credentials", ["SIS_ONEROSTER_CLIENT_ID", "SIS_ONEROSTER_TOKEN"]),
        ([URL, {"sis_oneroster_client_id": "a client"}], "sis.no_credentials", ["SIS_ONEROSTER_CLIENT_SECRET"]),
        ([TOKEN], "sis.no_url", ["SIS_ONEROSTER_TOKEN", "SIS_ONEROSTER_URL"]),
        ([CLIENT], "sis.no_url", ["SIS_ONEROSTER_CLIENT_ID", "SIS_ONEROSTER_URL"]),
    ],
)
def test_contradiction_is_one_sentence(parts, code, named):
    with refused(code) as error:
        choose(*parts)
    assert all(name in error.value.sentence for name in named)
    assert "a-secret" not in error.value.sentence
    assert "a-token" not in error.value.sentence
