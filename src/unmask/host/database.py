"""The database: SQLite in a file, or PostgreSQL by URL. All writing is done one transaction after the other.

Limits, final picks and the close are right only if nobody writes between the look and the change. SQLite has one writer
at a time by itself; PostgreSQL gets the same by one advisory lock, which ends with its transaction, however that ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from unmask.tables.errors import UnmaskError

#: Seconds that a writer waits for its turn.
_PATIENCE = 60
#: Names the advisory lock among all those of a PostgreSQL database.
_LOCK = 0x756E6D61736B
_WRITING = "writing"


class Database:
    """Where everything is kept that happens while a challenge runs.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://...``.

    Raises:
        UnmaskError: no such kind of database.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise _unusable(url) from error
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise _unusable(parsed.render_as_string(hide_password=True))
        try:
            # A connection that a restarted server has dropped is noticed before it is used.
            self.engine = create_engine(parsed, pool_pre_ping=True)
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise _unusable(parsed.render_as_string(hide_password=True)) from error
        if parsed.get_backend_name() == "sqlite":
            event.listen(self.engine, "connect", _prepare)
            event.listen(self.engine, "begin", _begin)
        self._writer: Engine = self.engine.execution_options(**{_WRITING: True})

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A look at what there is."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A change, after all others and before all others; kept as a whole when the block ends well."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            if self.engine.dialect.name == "postgresql":
                session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            yield session

    def migrate(self) -> None:
        """Bring the tables to what this version works with."""
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._writer.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # transactions begin where ``_begin`` says so
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={1000 * _PATIENCE}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # One that would become a writer half-way is refused where another has written meanwhile; this one waits.
    immediate = connection.get_execution_options().get(_WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _unusable(url: str) -> UnmaskError:
    return UnmaskError(
        f"the database {url} cannot be used", next_step="give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
    )
