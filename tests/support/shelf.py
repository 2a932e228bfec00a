"""Stock put straight into the database, and the proof that it still adds up: for tests that are not about the catalogue."""

import uuid


class Shelf:
    """A location with `units` of each of its products."""

    def __init__(self, database, units, n_skus=1):
        self.database = database
        self.tag = uuid.uuid4().hex[:12]
        self.location = f"store-{self.tag}"
        self.skus = [f"sku-{self.tag}-{n:05}" for n in range(1, n_skus + 1)]
        self.sku = self.skus[0]
        self._create(units)

    def row(self, sku=None):
        return self.database.rows(
            "select * from stock where location = %s and sku = %s", self.location, sku or self.sku)[0]

    def reservations(self):
        """How many were ever made here."""
        return self.database.count("reservations", "location = %s", self.location)

    def held(self, sku=None):
        return self.database.value(
            "select coalesce(sum(quantity), 0)::bigint from reservation_lines where location = %s and sku = %s and held",
            self.location, sku or self.sku)

    def let_lapse(self, reservation_id, when="clock_timestamp() - interval '1 second'"):
        let_lapse(self.database, reservation_id, when)

    def assert_adds_up(self):
        assert_adds_up(self.database, self.location)

    def _create(self, units):
        self.database.execute(_LOCATION, self.location)
        self.database.execute(_PRODUCTS, self.skus)
        self.database.execute(_STOCK, self.location, units, self.skus)
        self.database.execute(_LEDGER)


def let_lapse(database, reservation_id, when="clock_timestamp() - interval '1 second'"):
    """Its time is up, without waiting for it."""
    moment = database.value(f"select {when}")
    for table, column in (("reservation_lines", "reservation_id"), ("reservations", "id")):
        database.execute(f"update {table} set expires_at = %s where {column} = %s", moment, reservation_id)


def assert_adds_up(database, *locations):
    """Nothing is oversold, `reserved` equals the units that documents hold, `on_hand` the sum of the ledger."""
    wrong = database.rows(_WRONG, list(locations))
    assert not wrong, f"stock does not add up: {wrong}"


_LOCATION = """
    insert into locations (code, name, kind, time_zone, country, capabilities, opening_hours, closures, lead_time_s,
                           hold_for_s, created_at, updated_at)
    values (%s, 'Store', 'store', 'Europe/Berlin', 'DE', '{pickup}', '[]', '[]', 7200, 604800, now(), now())"""

_PRODUCTS = """
    insert into products (sku, title, returnable, attributes, created_at, updated_at)
    select sku, sku, true, '{}', now(), now() from unnest(%s::text[]) as sku"""

_STOCK = """
    insert into stock (location, sku, on_hand, movements)
    select %s, sku, %s, 1 from unnest(%s::text[]) as sku"""

_LEDGER = """
    insert into ledger (location, sku, number, reason, on_hand_change, unsellable_change, on_hand_after, unsellable_after,
                        actor, recorded_at)
    select location, sku, 1, 'count', on_hand, 0, on_hand, 0, 'test', now() from stock
        on conflict do nothing"""

_WRONG = """
    select s.*, held.units as held, allocated.units as allocated, moved.units as moved
      from stock s
     cross join lateral (select coalesce(sum(l.quantity), 0) as units from reservation_lines l
                          where l.location = s.location and l.sku = s.sku and l.held) as held
     cross join lateral (select coalesce(sum(l.quantity - l.short - l.cancelled - l.fulfilled), 0) as units
                           from fulfillment_lines l where l.location = s.location and l.sku = s.sku) as allocated
     cross join lateral (select coalesce(sum(m.on_hand_change), 0) as units from ledger m
                          where m.location = s.location and m.sku = s.sku) as moved
     where s.location = any(%s) and (s.reserved <> held.units + allocated.units or s.on_hand <> moved.units
                                     or s.reserved + s.unsellable > s.on_hand or s.reserved < 0)"""


def place_of(location):
    """The last two bytes of an id made at this location; its calls meet the worker of this number."""
    number = 0x811c9dc5
    for byte in location.encode():
        number = (number ^ byte) * 0x01000193 & 0xffffffff
    return number >> 16 ^ number & 0xffff
