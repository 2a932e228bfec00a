"""config and healthcheck: output and exit codes; and the help of every command."""

import os
import re
import socket
import subprocess
import threading

import pytest

from support import ROOT
from support.holdfast import binary
from support.ports import free_port

OK, FAILED, WRONG_USAGE, BAD_CONFIG = 0, 1, 2, 78


def run(*arguments, **settings):
    """A command with these settings alone, names without their prefix."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HOLDFAST_", "PG"))}
    told = {f"HOLDFAST_{key.upper()}": str(value) for key, value in settings.items()}
    return subprocess.run([str(binary()), *arguments], env={**kept, **told}, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)


def commands():
    return re.findall(r"^  ([a-z]+) ", run("--help").stdout, re.MULTILINE)


# help

def test_the_commands_of_the_contract_are_there():
    assert set(commands()) >= {"audit", "config", "doctor", "healthcheck", "import", "migrate", "openapi", "relay", "serve", "token", "version"}


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself_with_an_example(option):
    for command in commands():
        done = run(command, option)
        assert done.returncode == OK and done.stderr == ""
        assert done.stdout.startswith(f"usage: holdfast {command}")
        assert re.search(rf"^    .*holdfast {command}\b", done.stdout, re.MULTILINE), f"{command} shows no example"


@pytest.mark.parametrize("command", ["config", "doctor", "healthcheck", "openapi"])
def test_arguments_that_mean_nothing_are_refused(command):
    done = run(command, "nonsense")
    assert (done.returncode, done.stdout) == (WRONG_USAGE, "")
    assert done.stderr == f"usage: holdfast {run(command, '--help').stdout.splitlines()[0].split('holdfast ')[1]}\n"


# config

def settings_of(done):
    assert done.returncode == OK, done.stderr
    return dict(re.findall(r"^(HOLDFAST_[A-Z_]+)=(.*)$", done.stdout, re.MULTILINE))


def test_config_shows_values_and_defaults():
    shown = settings_of(run("config", listen="127.0.0.1:9999"))
    assert shown["HOLDFAST_LISTEN"] == "127.0.0.1:9999"
    assert shown["HOLDFAST_ADMIN_LISTEN"] == "127.0.0.1:8081"
    assert shown["HOLDFAST_UNPAID_TTL"] == ""


def test_config_shows_no_secret(tmp_path):
    file = tmp_path / "secret"
    file.write_text("hush-this-comes-from-a-file-0123456789\n")
    done = run("config", jwt_secret="hush-this-is-32-bytes-or-even-more", pickup_secret_file=file,
               database_url="postgresql://shop:hush@db/shop", database_read_url="postgresql://shop:hush@replica/shop")
    shown = settings_of(done)
    for name in ("JWT_SECRET", "PICKUP_SECRET", "DATABASE_URL", "DATABASE_READ_URL"):
        assert shown[f"HOLDFAST_{name}"] == "(secret)"
    assert shown["HOLDFAST_PICKUP_SECRET_PREVIOUS"] == ""
    assert "hush" not in done.stdout + done.stderr


def test_config_names_variables_that_mean_nothing():
    done = run("config", lisen="127.0.0.1:9999")
    assert done.returncode == OK
    assert done.stderr == "holdfast: unknown setting HOLDFAST_LISEN, ignored\n"


@pytest.mark.parametrize("settings, variable", [
    ({"rate_limit": "many"}, "HOLDFAST_RATE_LIMIT"),
    ({"rate_limit": "1000001"}, "HOLDFAST_RATE_LIMIT"),
    ({"trusted_proxies": "10.0.0.1/8"}, "HOLDFAST_TRUSTED_PROXIES"),
    ({"trusted_proxies": "proxy.example"}, "HOLDFAST_TRUSTED_PROXIES"),
    ({"docs": "no"}, "HOLDFAST_DOCS"),
    ({"write_workers": 17}, "HOLDFAST_WRITE_WORKERS"),
    ({"read_workers": 17}, "HOLDFAST_READ_WORKERS"),
    ({"unpaid_ttl": "30 minutes"}, "HOLDFAST_UNPAID_TTL"),
    ({"schema": "Shop"}, "HOLDFAST_SCHEMA"),
    ({"jwt_secret": "x" * 32, "jwt_secret_file": "/dev/null"}, "HOLDFAST_JWT_SECRET"),
    ({"database_url_file": "/nowhere/at/all"}, "HOLDFAST_DATABASE_URL_FILE"),
    ({"database_url_file": "/"}, "HOLDFAST_DATABASE_URL_FILE"),
    ({"jwt_secret_file": "/"}, "HOLDFAST_JWT_SECRET_FILE"),
    ({"pickup_secret_file": "/dev/null"}, "HOLDFAST_PICKUP_SECRET_FILE"),
    ({"listen": "x"}, "HOLDFAST_LISTEN"),
    ({"listen": "127.0.0.1:99999"}, "HOLDFAST_LISTEN"),
    ({"admin_listen": "127.0.0.1: 18181"}, "HOLDFAST_ADMIN_LISTEN"),
    ({"event_type_prefix": "com example"}, "HOLDFAST_EVENT_TYPE_PREFIX"),
    ({"event_type_prefix": ".com"}, "HOLDFAST_EVENT_TYPE_PREFIX"),
    ({"event_type_prefix": "com..example"}, "HOLDFAST_EVENT_TYPE_PREFIX"),
    ({"event_type_prefix": "Com.example"}, "HOLDFAST_EVENT_TYPE_PREFIX"),
    ({"event_type_prefix": "a" * 101}, "HOLDFAST_EVENT_TYPE_PREFIX"),
])
def test_config_refuses_an_unreadable_value(settings, variable):
    done = run("config", **settings)
    assert (done.returncode, done.stdout) == (BAD_CONFIG, "")
    assert done.stderr.startswith(f"holdfast: bad configuration: {variable}: ")


def test_config_print_is_config():
    assert run("config", "print").stdout == run("config").stdout


RELAY = ["relay", "--to", "stdout", "--consumer", "x"]
NEED_THE_DATABASE = [["audit"], ["migrate"], ["serve"], RELAY, ["import", "products", "/dev/null"]]


@pytest.mark.parametrize("command", NEED_THE_DATABASE, ids=lambda command: command[0])
@pytest.mark.parametrize("settings, fault", [
    ({}, "HOLDFAST_DATABASE_URL is not set"),
    ({"database_url_file": "/dev/null"}, "HOLDFAST_DATABASE_URL_FILE: the file is empty; leave the variable out to go without"),
    ({"database_url": "bogus=1"}, 'HOLDFAST_DATABASE_URL: invalid connection option "bogus"'),
    ({"database_url": "host=db password=hush hush"}, "HOLDFAST_DATABASE_URL: not a connection string as libpq reads it"),
    ({"database_url": "postgresql:///shop", "database_read_url": "postgresql:///shop?bogus=1"},
     'HOLDFAST_DATABASE_READ_URL: invalid URI query parameter: "bogus"'),
], ids=["unset", "empty file", "unknown option", "a secret is not quoted", "replica"])
def test_commands_that_need_the_database_need_its_address(command, settings, fault):
    done = run(*command, **settings, jwt_secret="x" * 32)
    assert (done.returncode, done.stdout) == (BAD_CONFIG, "")
    assert done.stderr == f"holdfast: bad configuration: {fault}\n"


@pytest.mark.parametrize("command", [["audit"], ["serve"], RELAY, ["import", "products", "/dev/null"]], ids=lambda command: command[0])
def test_an_empty_schema_asks_for_migrate(service, command, tmp_path):
    (tmp_path / "products.csv").write_text("sku,title\nS-1,Kettle\n")
    command = [str(tmp_path / "products.csv") if word == "/dev/null" else word for word in command]
    done = run(*command, **{key.lower(): value for key, value in service.settings.items()}, schema="empty")
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert re.fullmatch(r"holdfast: schema empty is at version 0, this program needs \d+: run holdfast migrate\n", done.stderr)


@pytest.mark.parametrize("origins", [
    "*", "null", "shop.example", "https://shop.example/", "https://shop.example/app", "https://shop.example:443",
    "https://good.example,https://Shop.example"])
def test_an_origin_that_no_browser_sends_is_refused(origins):
    done = run("serve", database_url="postgresql:///shop", jwt_secret="x" * 32, cors_origins=origins)
    assert (done.returncode, done.stdout) == (BAD_CONFIG, "")
    assert f'HOLDFAST_CORS_ORIGINS: no browser sends "{origins.split(",")[-1]}"' in done.stderr


def test_an_address_that_cannot_be_listened_on_says_why():
    done = run("serve", database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/shop", jwt_secret="x" * 32,
               listen="no.such.host.invalid:0", jwt_dev_allow_remote=1)
    assert done.returncode == BAD_CONFIG
    assert '"message":"listening failed"' in done.stdout and "Success" not in done.stdout and '"reason":"' in done.stdout


def test_the_page_of_settings_is_that_in_docs():
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert run("config", "--markdown").stdout == page, "print it again: holdfast config --markdown > docs/configuration.md"


def test_the_page_of_settings_depends_on_no_setting():
    assert run("config", "--markdown", listen="127.0.0.1:9999").stdout == run("config", "--markdown").stdout


# healthcheck

def test_healthcheck_is_quiet_about_a_ready_service(service):
    done = service.run("healthcheck", check=OK)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "", "localhost"])
def test_healthcheck_finds_a_service_that_listens_everywhere(service, host):
    port = service.admin_address[1]
    assert run("healthcheck", admin_listen=f"{host}:{port}").returncode == OK


def answering(reply):
    """A port on which one connection gets these bytes; None: silence."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            if reply is None:
                connection.recv(1)  # until the other side has had enough
            else:
                connection.sendall(reply)
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def test_healthcheck_falls_back_to_the_api_port():
    port = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert run("healthcheck", admin_listen="", listen=f"127.0.0.1:{port}").returncode == OK


@pytest.mark.parametrize("reply, reason", [
    (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "is not ready"),
    (b"HTTP/1.1 404 Not Found\r\n\r\n", "is not ready"),
    (b"", "does not answer in time"),
    (None, "does not answer in time"),
    (b"SSH-2.0-OpenSSH\r\n", "does not answer in time"),
])
def test_healthcheck_fails_without_a_good_answer(reply, reason):
    done = run("healthcheck", admin_listen=f"127.0.0.1:{answering(reply)}")
    assert done.returncode == FAILED and reason in done.stderr


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "no.such.host.invalid:{port}"])
def test_healthcheck_fails_when_nobody_listens(address):
    done = run("healthcheck", admin_listen=address.format(port=free_port()))
    assert done.returncode == FAILED and "cannot be reached" in done.stderr


@pytest.mark.parametrize("command", ["migrate", "serve", "version"])
def test_a_command_without_arguments_refuses_any(command):
    told = run(command, "--bogus")

    assert told.returncode == 2
    assert "--bogus" in told.stderr and f"holdfast {command} --help" in told.stderr
