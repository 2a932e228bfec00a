"""/metrics: well-formed, documented, and true."""

import re
import shutil
import subprocess
import urllib.request

import pytest

from support import ROOT
from support.database import Database
from support.retailer import Retailer
from support.waiting import eventually
from support.work import Work

GUIDE = ROOT / "docs" / "operations.md"
OF_THE_AUDIT = "holdfast_audit_"


def exposition(instance):
    with urllib.request.urlopen(instance.admin_url + "/metrics", timeout=5) as reply:
        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return reply.read().decode()


def metrics_of(text):
    return set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))


def metrics_documented():
    """The names in the first column of the tables; a long name is never shortened."""
    guide = GUIDE.read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`(?:holdfast|process)_[^|]*)\|", guide, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}


@pytest.fixture
def swept(service):
    """An instance whose sweeper has told its figures."""
    eventually(lambda: service.figure("holdfast_figures_timestamp_seconds") > 0
               and service.figure("holdfast_sweep_last_success_timestamp_seconds") > 0, what="figures of the sweeper")
    return service


def check(text):
    promtool = shutil.which("promtool")
    assert promtool, "install the package prometheus: deploy/packages.sh test"
    return subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)


def test_prometheus_can_read_the_exposition(swept, retailer):
    retailer.order()
    done = check(exposition(swept))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_metric_is_documented_and_no_other(swept):
    told = metrics_of(exposition(swept))
    documented = {name for name in metrics_documented() if not name.startswith(OF_THE_AUDIT)}
    assert told == documented


def test_no_label_names_a_thing_of_which_there_are_many(swept, retailer):
    order = retailer.order().json()
    text = exposition(swept)
    for thing in (order["id"], order["order_number"], retailer.sku, "Ada"):
        assert thing not in text


def test_a_histogram_adds_up(swept, api):
    for _ in range(3):
        api.get("/v1/orders/01890000-0000-7000-8000-000000000000", expect=404)
    labels = {"route": "/v1/orders/{id}", "method": "GET", "code": "404"}
    name = "holdfast_http_request_duration_seconds"
    count = swept.figure(f"{name}_count", **labels)
    assert count >= 3
    assert swept.figure(f"{name}_bucket", le="+Inf", **labels) == count
    buckets = [swept.figure(f"{name}_bucket", le=le, **labels) for le in ("0.0005", "0.01", "1", "5")]
    assert buckets == sorted(buckets) and buckets[-1] <= count
    assert swept.figure(f"{name}_sum", **labels) > 0


def test_each_call_of_a_lane_is_observed(service, retailer):
    def seen():
        return [service.figure(f"holdfast_{name}", lane="write") for name in (
            "lane_calls_total", "lane_wait_seconds_count", "lane_batch_calls_sum", "lane_batches_total",
            "lane_batch_calls_count", "db_trip_duration_seconds_count")]

    before = seen()
    retailer.order()
    # A batch is counted when it is over, which its caller may see a moment earlier.
    eventually(lambda: seen()[0] > before[0], what="the call is counted")
    calls, waits, sizes, batches, observed, trips = (now - then for now, then in zip(seen(), before))
    assert calls == waits == sizes
    assert batches == observed
    assert trips >= 2 * batches


def test_pool_connections_are_counted_by_state(service):
    connections = {state: service.figure("holdfast_db_pool_connections", lane="write", state=state)
                   for state in ("away", "busy", "idle")}
    assert sum(connections.values()) == 4 and connections["away"] == 0


def test_a_database_that_is_away_shows_in_the_pool(cluster, services, new_database):
    url = new_database()
    name = url.rpartition("/")[2].split("?")[0]
    instance = services(url, sweeper=0)
    api = instance.client()
    api.get("/v1/products/KETTLE", expect=404)  # so that its worker is connected
    assert instance.figure("holdfast_ready") == 1
    with Database(cluster.url()) as database:
        database.execute(f'alter database "{name}" with allow_connections false')
        database.rows("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", name)
        try:
            eventually(lambda: api.get("/v1/products/KETTLE").status_code == 503, what="its session has ended")
            eventually(lambda: instance.figure("holdfast_db_pool_connections", lane="read", state="away") == 1, what="away")
            eventually(lambda: instance.figure("holdfast_ready") == 0, what="not ready")
            assert instance.figure("holdfast_db_faults_total", fault="lost") >= 1
        finally:
            database.execute(f'alter database "{name}" with allow_connections true')


# Figures that the scheduled job reads

@pytest.fixture
def quiet(services, new_database):
    """A retailer whose house nobody else works in, and a function that starts an instance and reads its figures."""
    url = new_database()
    retailer = Retailer(services(url, sweeper=0).client()).create()

    def asked():
        instance = services(url)
        eventually(lambda: instance.figure("holdfast_figures_timestamp_seconds") > 0, what="the figures are asked for")
        return instance

    with Database(url) as database:
        yield retailer, database, asked


def test_queues_are_counted_by_location_and_status(quiet):
    retailer, database, asked = quiet
    first, second, third = (Work(retailer, database) for _ in range(3))
    first.make_ready()
    second.pick_all()
    database.execute("update fulfillments set promised_at = now() - interval '1 minute', created_at = now() - interval '1 hour'")

    instance = asked()

    depth = {status: instance.figure("holdfast_queue_depth", location=retailer.store, status=status)
             for status in ("allocated", "picking", "ready", "arrived")}
    assert depth == {"allocated": 1, "picking": 1, "ready": 1, "arrived": 0}
    assert instance.figure("holdfast_queue_overdue", location=retailer.store) == 2, "what is ready is not overdue"
    assert 3600 <= instance.figure("holdfast_queue_oldest_seconds", location=retailer.store) < 7200
    assert instance.figure("holdfast_queue_customer_wait_seconds", location=retailer.store) == 0
    assert third.now()["status"] == "allocated"


def test_the_longest_wait_of_a_customer_is_a_figure(quiet):
    retailer, database, asked = quiet
    it = Work(retailer, database)
    it.make_ready()
    database.execute("update fulfillments set check_in = 'arrived', arrived_at = now() - interval '10 minutes' where id = %s", it.id)
    assert 600 <= asked().figure("holdfast_queue_customer_wait_seconds", location=retailer.store) < 1200


def test_a_large_house_is_one_figure(quiet):
    retailer, database, asked = quiet
    Work(retailer, database)
    database.execute(
        "insert into locations select (jsonb_populate_record(l, jsonb_build_object('code', 'many-' || n))).*"
        " from locations l, generate_series(1, 500) n where l.code = %s", retailer.store)

    text = exposition(asked())

    assert 'holdfast_queue_depth{status="allocated"} 1\n' in text
    assert "holdfast_queue_overdue 0\n" in text
    assert "location=" not in text
    assert check(text).returncode == 0


def test_the_database_has_figures(quiet):
    _, database, asked = quiet
    instance = asked()
    assert instance.figure("holdfast_db_size_bytes") > 1_000_000
    assert instance.figure("holdfast_db_standbys") == 0
    assert instance.figure("holdfast_db_lock_waiting") == 0


def published_long_ago(database, hours):
    """One event at the end of the log, published then; its position."""
    head = database.value("select revision from revisions where topic = 'events'")
    database.execute("insert into event_log (position, id, type, subject_kind, subject_id, version, occurred_at, published_at, data)"
                     " values (%s, gen_random_uuid(), 'pickup.reminder', 'fulfillments', 'old', 1, now(), now() - %s * interval '1 hour', '{\"version\": 1}')",
                     head + 1, hours)
    database.execute("update revisions set revision = %s where topic = 'events'", head + 1)
    return head + 1


def test_the_lag_of_each_consumer_is_a_figure(quiet):
    _, database, asked = quiet
    eventually(lambda: database.count("events_due") == 0, what="all is published")
    end = published_long_ago(database, hours=2)
    database.execute("insert into consumers values ('done', null, %s, 1, now()), ('slow', null, %s, 1, now())", end, end - 1)
    instance = asked()
    assert instance.figure("holdfast_consumer_lag_events", consumer="slow") == 1
    assert 7200 <= instance.figure("holdfast_consumer_lag_seconds", consumer="slow") < 7500
    assert instance.figure("holdfast_consumer_lag_events", consumer="done") == 0
    assert instance.figure("holdfast_consumer_lag_seconds", consumer="done") == 0
    assert instance.figure("holdfast_event_log_retention_seconds") == 30 * 86400


def test_of_many_consumers_the_last_one_is_the_figure(quiet):
    _, database, asked = quiet
    eventually(lambda: database.count("events_due") == 0, what="all is published")
    end = published_long_ago(database, hours=3)
    database.execute("insert into consumers select 'many-' || n, null, case when n = 40 then %s else %s end, 1, now()"
                     " from generate_series(1, 51) as n", end - 1, end)
    text = exposition(asked())
    assert "holdfast_consumer_lag_events 1\n" in text and "consumer=" not in text
    assert check(text).returncode == 0


def test_a_sweep_is_counted(swept, retailer, database):
    taken = swept.figure("holdfast_sweep_taken_total", job="expire_reservations")
    reservation = retailer.api.post("/v1/reservations", {
        "location": retailer.store, "lines": [{"sku": retailer.sku, "quantity": 1}]}, expect=201).json()["id"]
    database.execute("update reservation_lines set expires_at = now() - interval '1 second' where reservation_id = %s", reservation)
    database.execute("update reservations set expires_at = now() - interval '1 second' where id = %s", reservation)
    eventually(lambda: swept.figure("holdfast_sweep_taken_total", job="expire_reservations") > taken, what="it is taken")
    assert swept.figure("holdfast_sweep_duration_seconds_count") >= 1


def test_an_instance_that_does_not_sweep_has_no_such_figures(services, new_database):
    text = exposition(services(new_database(), sweeper=0))
    assert "holdfast_sweep_last" not in text and "holdfast_queue_depth" not in text
    assert "process_open_fds" in text


def test_the_process_has_the_usual_figures(service):
    text = exposition(service)
    values = dict(re.findall(r"^(process_\w+) (\S+)$", text, re.MULTILINE))
    pid = service.process.pid
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    assert abs(float(values["process_virtual_memory_bytes"]) - int(fields[20])) <= 0.5 * int(fields[20])
    started = float(values["process_start_time_seconds"])
    boot = int(re.search(r"^btime (\d+)", open("/proc/stat").read(), re.MULTILINE)[1])
    assert abs(started - (boot + int(fields[19]) / 100)) < 1
    assert 10 < float(values["process_open_fds"]) < float(values["process_max_fds"])
    assert float(values["process_cpu_seconds_total"]) > 0
    assert float(values["process_resident_memory_bytes"]) > 1_000_000
