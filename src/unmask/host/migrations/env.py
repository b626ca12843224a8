"""How Alembic reaches the database: by the connection that ``Database.migrate`` hands over."""

from alembic import context

from unmask.host.records import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
