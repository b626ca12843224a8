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
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from unmask.tables.errors import UnmaskError

#: Seconds that a writer waits for its turn.
_PATIENCE = 60
#: Names the advisory lock among all those of a PostgreSQL database.
_LOCK = 0x756E6D61736B
_WRITING = "writing"
_KINDS = "give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"


class Database:
    """Where everything is kept that happens while a challenge runs.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://...``.

    Raises:
        UnmaskError: the address cannot be read, or is of another kind of database.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError) as error:
            # Not told: the address itself, in which no password can be found and hidden.
            raise UnmaskError("the database's address cannot be read", next_step=_KINDS) from error
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise _unusable(parsed.render_as_string(hide_password=True))
        if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
            what = "a database in memory cannot be used: other processes do not see it, and it ends with this one"
            raise UnmaskError(what, next_step=_KINDS)
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

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    def migrate(self) -> None:
        """Bring the tables to what this version works with.

        Raises:
            UnmaskError: there is something else, or what a newer version has made.
            OperationalError: it cannot be reached or written.
        """
        config = _migrations()
        try:
            with self._writer.begin() as connection:
                if self.engine.dialect.name == "postgresql":
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError as error:
            raise self._newer() from error
        except OperationalError:
            raise
        except DatabaseError as error:
            raise self._no_database(error) from error

    def require_tables(self) -> None:
        """See that the tables are those that this version works with; nothing is made.

        Raises:
            UnmaskError: they are not, or cannot be looked at.
        """
        scripts = ScriptDirectory.from_config(_migrations())
        url = self.engine.url
        revision = None
        if url.get_backend_name() != "sqlite" or Path(url.database or "").is_file():
            try:
                with self.engine.connect() as connection:
                    revision = MigrationContext.configure(connection).get_current_revision()
            except DatabaseError as error:
                raise self._no_database(error) from error
        if revision is not None and revision not in {script.revision for script in scripts.walk_revisions()}:
            raise self._newer()
        if revision != scripts.get_current_head():
            what = "the database is not set up" if revision is None else "the database was made by an older unmask"
            raise UnmaskError(
                what, where=self.shown, next_step="start unmask serve once, with the same database, and then this again"
            )

    def _newer(self) -> UnmaskError:
        return UnmaskError(
            "the database was made by a newer unmask", where=self.shown,
            next_step="install that version or a later one, or give another database",
        )  # fmt: skip

    def _no_database(self, error: DatabaseError) -> UnmaskError:
        return UnmaskError(
            f"the database cannot be used: {error.orig}", where=self.shown,
            next_step="start it, give this user its rights, or give another one; a file is kept as it is",
        )  # fmt: skip

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


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _unusable(url: str) -> UnmaskError:
    return UnmaskError(f"the database {url} cannot be used", next_step=_KINDS)
