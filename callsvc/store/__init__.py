"""PostgreSQL: the pool, the migrations, and the SQL of each noun in a module of its own.

    database = store.Database(store.address(settings))
    async with database.transaction() as conn:
        await store.calls.start(conn, call_id, ...)

Every function of the noun modules takes the connection of the caller's transaction, so that several of them, and a
job deferred beside them, become true together or not at all.
"""

from callsvc.store.database import Connection, Database, address

__all__ = ["Connection", "Database", "address"]
