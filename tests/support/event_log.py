"""What must be true of the log of events."""

from support.waiting import eventually


def assert_log_is_whole(database):
    """Once none is due, each event has one position, the positions have no gap, and those of a subject follow its versions."""
    eventually(lambda: database.count("events_due") == 0, 60, "all is published")
    missing = database.rows(
        "select id from events e full join (select id, order_id from event_log where order_id is not null) as l using (id)"
        " where e.order_id is distinct from l.order_id")
    assert missing == [], missing[:10]
    assert database.value("select count(*) = count(distinct id) and count(*) = max(position) - min(position) + 1"
                          "   and max(position) = (select revision from revisions where topic = 'events') from event_log")
    # Of units, a transaction tells the last movement alone; a reservation has an event only at its end.
    astray = database.rows(
        "select * from (select position, type, subject_kind, subject_id, version, lag(version) over"
        "                      (partition by subject_kind, subject_id order by position) as before from event_log) as each"
        " where case when subject_kind = 'inventory' then version <= before"
        "            when subject_kind = 'reservations' then version <= before"
        "            else version not in (coalesce(before, 1), coalesce(before, 0) + 1) end")
    assert astray == [], astray[:10]
