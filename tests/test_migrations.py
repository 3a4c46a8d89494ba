"""The migrations lead to what the model declares, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from ingest.catalogue.database import make_engine
from ingest.catalogue.errors import SchemaTooNewError
from ingest.catalogue.model import Base
from ingest.catalogue.schema import SCHEMA_VERSION, find_schema_version, upgrade_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

MIGRATIONS = Path(__file__).parents[1] / "migrations"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    yield engine
    engine.dispose()


def make_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def test_upgrade_makes_what_the_model_declares(engine: Engine) -> None:
    upgrade_schema(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_downgrade_takes_everything_back(engine: Engine) -> None:
    upgrade_schema(engine)
    config = make_config()
    with engine.execution_options(nxcat_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]


def test_the_newest_migration_is_the_one_that_is_checked_for() -> None:
    assert ScriptDirectory.from_config(make_config()).get_current_head() == SCHEMA_VERSION


def test_upgrade_twice_changes_nothing(engine: Engine) -> None:
    upgrade_schema(engine)
    upgrade_schema(engine)
    assert find_schema_version(engine) == SCHEMA_VERSION


def test_a_newer_schema_is_refused_and_left_alone(engine: Engine) -> None:
    upgrade_schema(engine)
    with engine.execution_options(nxcat_writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNewError, match="update nxcat"):
        upgrade_schema(engine)
    assert find_schema_version(engine) == "9999"


def test_every_migration_carries_only_its_own_types() -> None:
    for script in (MIGRATIONS / "versions").glob("*.py"):
        assert "import ingest" not in script.read_text()
        assert "from ingest" not in script.read_text()


@pytest.mark.parametrize("room", ["ingest", "api", "migrations"])
def test_every_folder_with_code_is_a_package_and_ships(room: str) -> None:
    folders = {path.parent for path in (MIGRATIONS.parent / room).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
