"""A test's own view into the database, beside the service."""

from contextlib import contextmanager

import psycopg2
import psycopg2.extras

CONNECT_TIMEOUT_S = 10


class Database:
    """Every statement commits by itself; the service's schema comes first in the search path."""

    def __init__(self, url, schema="holdfast"):
        self.url = url
        self.schema = schema
        self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def rows(self, statement, *parameters):
        """All rows, each a dict."""
        with self._cursor(self._connected()) as cursor:
            cursor.execute(statement, parameters or None)
            return [dict(row) for row in cursor.fetchall()]

    def value(self, statement, *parameters):
        """The one column of the one row."""
        rows = self.rows(statement, *parameters)
        assert len(rows) == 1 and len(rows[0]) == 1, f"not one value: {rows!r}"
        return next(iter(rows[0].values()))

    def count(self, table, where="true", *parameters):
        return self.value(f"select count(*) from {table} where {where}", *parameters)

    def execute(self, statement, *parameters):
        """Run a statement for its effect; the number of rows it touched."""
        with self._cursor(self._connected()) as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.rowcount

    @contextmanager
    def transaction(self):
        """A transaction on a separate connection, to hold locks while the service runs; yields `execute`-like

        `rows(statement, *parameters)`; rolled back at the end.
        """
        connection = self._connect()
        try:
            with self._cursor(connection) as cursor:
                def rows(statement, *parameters):
                    cursor.execute(statement, parameters or None)
                    return [dict(row) for row in cursor.fetchall()] if cursor.description else []
                yield rows
        finally:
            connection.close()

    def cut_other_sessions(self):
        """End every other session of this role in this database, as a failover would; how many there were."""
        return self.value(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()")

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self):
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
            self._connection.autocommit = True
        return self._connection

    def _connect(self):
        return psycopg2.connect(
            self.url, connect_timeout=CONNECT_TIMEOUT_S, application_name="test",
            options=f"-c search_path={self.schema},public")

    @staticmethod
    def _cursor(connection):
        return connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
