from support.office import office, office_engine, organization, settings_changed, slack_waits  # noqa: F401 - fixtures.
from support.snapshots import snapshot  # noqa: F401 - a fixture.
