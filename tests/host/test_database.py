"""The database's tables are those that the program works with."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from unmask.host.records import Base


def test_migrations_make_what_the_records_say(place):
    with place.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
