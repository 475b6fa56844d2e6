"""Settings that hold only what a test gives. Reading the environment, too, would take 15 ms a test."""

from bot.settings import Settings


class GivenSettings(Settings):
    @classmethod
    def settings_customise_sources(cls, settings_cls, init_settings, **_others):  # noqa: ARG003 - the signature is pydantic's.
        return (init_settings,)
