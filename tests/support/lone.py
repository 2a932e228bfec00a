"""An instance with a separate database, whose batches a test can compose and count."""

from contextlib import contextmanager

from support.crowd import Started, shoppers
from support.shelf import Shelf
from support.waiting import eventually

WAIT_S = 30


class Lone:
    def __init__(self, instance, database, token):
        self.instance = instance
        self.database = database
        self.token = token

    def shelf(self, units, n_skus=1):
        return Shelf(self.database, units, n_skus)

    def shoppers(self, n):
        return shoppers(n, self.instance, token=self.token)

    def lane(self, figure):
        return self.instance.figure(f"holdfast_lane_{figure}", lane="write")

    def sessions(self, lane):
        """How many connections of the lane there are."""
        return self.database.value("select count(*) from pg_stat_activity where datname = current_database()"
                                   " and application_name = %s", f"holdfast {lane}")

    def in_one_batch(self, *groups):
        """Let calls gather behind one that waits for a locked row, group after group; the answers of all.

        They then run in one transaction, unless it fails.
        """
        gate = self.shelf(units=1)
        guard, = self.shoppers(1)
        with holding(gate):
            first = Started(guard.reserve(gate.location, {gate.sku: 1}))
            eventually(lambda: lock_waiters(self.database) == 1, WAIT_S, "the worker waits for the row")
            started, n = [], 0
            for group in groups:
                started.append(Started(*group))
                n += len(group)
                eventually(lambda: self.lane("waiting") == n, WAIT_S, f"{n} calls wait")
        assert first.answers()[0].status == 201
        return [answer for each in started for answer in each.answers()]


    @contextmanager
    def poison(self, sqlstate, times=1_000_000):
        """Meanwhile the database refuses reservations whose reference is "poison", the first so many times."""
        self.database.execute("create sequence poisonings")
        self.database.execute(_POISON % (int(times), sqlstate))
        self.database.execute("create trigger poison before insert on reservations for each row execute function poison()")
        try:
            yield
        finally:
            self.database.execute("drop function poison cascade")
            self.database.execute("drop sequence poisonings")


_POISON = """
    create function poison() returns trigger language plpgsql as $$
    begin
        if new.reference is not distinct from 'poison' and nextval('poisonings') <= %d then
            raise exception 'poisoned' using errcode = '%s';
        end if;
        return new;
    end $$"""


@contextmanager
def holding(shelf, sku=None):
    """Another transaction locks the row meanwhile."""
    with shelf.database.transaction() as rows:
        rows("select from stock where location = %s and sku = %s for update", shelf.location, sku or shelf.sku)
        yield


def lock_waiters(database):
    """How many sessions of the service wait for a lock in this database."""
    return database.value(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        " and application_name like 'holdfast%%'")
