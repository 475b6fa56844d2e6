"""Every table, for Alembic and the tests: importing this module registers the tables of all others."""

import pkgutil
from importlib import import_module

from bot.db import models
from bot.db.models.base import Base

for _module in pkgutil.iter_modules(models.__path__):
    import_module(f"{models.__name__}.{_module.name}")
METADATA = Base.metadata
