"""HAProxy before the service, as deploy/tls/haproxy.cfg has it: TLS, HTTP/2, a limit, and whose request it is."""

import datetime
import ipaddress
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.holdfast import make_token
from support.ports import free_port
from support.waiting import eventually

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
CURL_WITHIN_S, STOP_WITHIN_S = 20, 10
UNKNOWN = "/v1/reservations/0190a6e2-7b7c-7def-8123-456789abcdef"

pytestmark = pytest.mark.skipif(not HAPROXY, reason="HAProxy is not installed")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A key and a certificate for 127.0.0.1 in one file, as HAProxy wants them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "holdfast.example")])
    now = datetime.datetime.utcnow()
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .sign(key, hashes.SHA256()))
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


class Answer:
    def __init__(self, output):
        head, self.body, told = re.fullmatch(r"(.*?\r\n\r\n)(.*)\n(\S+ \S+)", output, re.DOTALL).groups()
        self.version, status = told.split()
        self.status = int(status)
        self.headers = {name.lower(): value.strip() for name, _, value in
                        (line.partition(":") for line in head.split("\r\n")[1:] if line)}


class Proxy:
    """HAProxy with the configuration for the outside, before one instance."""

    def __init__(self, service, certificate, **settings):
        self.port, self.plain_port = free_port(), free_port()
        self.certificate = certificate
        told = {"HTTPS": f"127.0.0.1:{self.port}", "HTTP": f"127.0.0.1:{self.plain_port}", "CERTIFICATE": certificate,
                "API": "%s:%d" % service.address, "ADMIN_PORT": service.admin_address[1], **settings}
        self.environment = {**os.environ, **{name: str(value) for name, value in told.items()}}
        self.process = subprocess.Popen([HAPROXY, "-db", "-f", DEPLOY / "tls" / "haproxy.cfg"], env=self.environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_up(self):
        assert self.process.poll() is None, "HAProxy has ended"
        return self.run("--output", "/dev/null", self.url("/openapi.json")).returncode == 0

    def url(self, path):
        return f"https://127.0.0.1:{self.port}{path}"

    def run(self, *arguments):
        return subprocess.run(["curl", "--silent", "--cacert", self.certificate, *arguments], check=False,
                              capture_output=True, timeout=CURL_WITHIN_S)

    def ask(self, path, *arguments):
        done = self.run("--include", "--write-out", "\n%{http_version} %{http_code}", *arguments, self.url(path))
        assert done.returncode == 0, f"curl ended with {done.returncode}"
        return Answer(done.stdout.decode())

    def stop(self):
        self.process.terminate()
        self.process.wait(STOP_WITHIN_S)


@pytest.fixture
def proxies(certificate):
    """A function that starts a proxy before a service."""
    started = []

    def start(service, **settings):
        started.append(Proxy(service, certificate, **settings))
        eventually(started[-1].is_up, what="HAProxy leads to the service")
        return started[-1]

    yield start
    for proxy in started:
        proxy.stop()


def bearer(**claims):
    return ("--header", f"Authorization: Bearer {make_token(**claims)}")


def test_configuration_for_two_instances_is_accepted():
    done = subprocess.run([HAPROXY, "-c", "-f", DEPLOY / "scale" / "haproxy.cfg"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_http2_over_tls_leads_to_the_service(service, proxies):
    reply = proxies(service).ask(UNKNOWN, "--http2", *bearer())
    assert (reply.version, reply.status) == ("2", 404)
    assert json.loads(reply.body)["code"] == "not-found"
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["strict-transport-security"].startswith("max-age=")


def test_a_body_of_unknown_size_goes_through(service, proxies):
    """HTTP/2 needs no Content-Length: it becomes a chunked body."""
    proxy = proxies(service)
    reply = proxy.ask("/v1/channels/proxied", "--http2", "--request", "PUT", *bearer(), "--header", "Content-Length:",
                      "--header", "Content-Type: application/json", "--data", '{"name": "Web", "kind": "web"}')
    assert (reply.version, reply.status) == ("2", 201)


def test_old_tls_is_refused(service, proxies):
    proxy = proxies(service)
    old = ("--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", proxy.url("/openapi.json"))
    assert proxy.run(*old).returncode == 35  # no handshake
    assert proxy.ask(UNKNOWN, "--tls-max", "1.2").status == 401


def test_plain_http_is_sent_to_tls(service, proxies):
    proxy = proxies(service)
    done = proxy.run("--include", f"http://127.0.0.1:{proxy.plain_port}/v1/locations")
    assert done.stdout.startswith(b"HTTP/1.1 308 ") and b"location: https://" in done.stdout.lower()


@pytest.mark.parametrize("path", [
    "/livez", "/readyz", "/metrics", "/metrics?x", "/%6detrics", "/%6Detric%73", "/%2fmetrics", "/%72eadyz", "/liv%65z", "/METRICS",
    "//metrics", "/./metrics", "/%2e/metrics", "/v1/../metrics", "/v1/%2e%2e/metrics", "/v1/..%2fmetrics", "/v1%2f../metrics",
    "/docs/../metrics", "/docs/%2e%2e/metrics", "/%76%31/../metrics", "/v1", "/", "*"])
def test_probes_and_figures_are_not_for_the_world_however_they_are_written(service, proxies, path):
    """Before the admin listener, for there is most to be had: an API without one answers probes just so."""
    proxy = proxies(service, API="%s:%d" % service.admin_address)
    assert service.probe("/%6detrics") == 200, "the service reads what is encoded"
    assert proxy.ask("/metrics", "--path-as-is", "--request-target", path).status in (400, 404)
    assert proxy.ask("/metrics", "--path-as-is", "--http2", "--request-target", path).status in (400, 404)


def test_an_internal_path_behind_a_proxy_is_a_problem(service, proxies):
    reply = proxies(service).ask("/metrics")
    assert reply.headers["content-type"] == "application/problem+json" and json.loads(reply.body)["code"] == "not-found"


def test_the_description_of_the_api_is_for_the_world(service, proxies):
    proxy = proxies(service)
    page = proxy.ask("/docs", "--compressed")
    paths = ["/openapi.json", *set(re.findall(r'"(/?docs/[^"]+)"', page.body))]
    assert page.status == 200 and len(paths) > 1
    assert {proxy.ask("/" + path.lstrip("/"), "--compressed").status for path in paths} == {200}


def test_an_address_that_asks_too_much_is_refused(service, proxies):
    proxy = proxies(service, REQUESTS_IN_10S=20)
    statuses = [proxy.ask(UNKNOWN, *bearer()).status for _ in range(25)]
    assert statuses[0] == 404 and statuses[-1] == 429
    reply = proxy.ask(UNKNOWN, *bearer())
    assert json.loads(reply.body)["code"] == "quota-exceeded" and reply.headers["retry-after"] == "10"


def test_clients_cannot_forge_their_address(services, proxies):
    proxy = proxies(services(rate_limit=1, trusted_proxies="127.0.0.1"))
    for status, header in ((401, "X-Forwarded-For: 203.0.113.1"), (429, "X-Forwarded-For: 203.0.113.2"),
                           (429, "Forwarded: for=203.0.113.3")):
        assert proxy.ask(UNKNOWN, "--header", header).status == status


def test_a_stream_and_a_long_poll_go_through(service, proxies, retailer):
    proxy = proxies(service)
    queue = f"/v1/locations/{retailer.store}/queue"
    tag = proxy.ask(queue, *bearer()).headers["etag"]
    reply = proxy.ask(queue, "--http2", *bearer(), "--header", f"If-None-Match: {tag}", "--header", "Prefer: wait=1")
    assert reply.status == 304 and reply.headers["preference-applied"] == "wait=1"
    stream = subprocess.Popen(["curl", "--silent", "--no-buffer", "--http2", "--cacert", proxy.certificate, *bearer(),
                               "--header", "Accept: text/event-stream", proxy.url(f"/v1/locations/{retailer.store}/events")],
                              stdout=subprocess.PIPE, text=True)
    try:
        assert stream.stdout.readline() == "retry: 3000\n"
    finally:
        stream.terminate()
        stream.wait(STOP_WITHIN_S)
        stream.stdout.close()
