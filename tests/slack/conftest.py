from support.office import office, organization, settings_changed  # noqa: F401 - fixtures.
from support.snapshots import snapshot  # noqa: F401 - a fixture.
