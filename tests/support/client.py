"""An HTTP client that holds every reply against api/openapi."""

import json
import uuid
from functools import lru_cache

import httpx

from support import ROOT
from support.contract import Contract
from support.discretion import discretion

TIMEOUT_S = 60.0
BODY_SHOWN = 2000

FRESH = object()  # a new Idempotency-Key for every POST
_TLS = httpx.create_ssl_context(verify=False)  # making one takes 20 ms, and no test speaks TLS


@lru_cache(maxsize=1)
def contract():
    return Contract.load(ROOT / "api")


class Client:
    """Safe for several threads. `expect` is the status the caller counts on, or several."""

    contract = staticmethod(contract)

    def __init__(self, base_url, token=None, transport=None):
        self.token = token
        self.base_url = base_url
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._http = transport or httpx.Client(
            base_url=base_url, timeout=TIMEOUT_S, trust_env=False, verify=_TLS, limits=limits)

    def with_token(self, token):
        """The same connections under another token; None for no token."""
        return Client(self.base_url, token, self._http)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def put(self, path, body=None, **options):
        return self.request("PUT", path, body, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def request(self, method, path, body=None, *, expect=None, key=FRESH, params=None, headers=None, content=None):
        """Send and check. `body` goes as JSON, `content` (bytes) as it is with Content-Type application/json.

        `key`: the Idempotency-Key; left alone, every POST gets a fresh one; None sends none. `headers` come last; a
        value of None takes a header away.
        """
        request = self._http.build_request(
            method, path, params=params, content=_content(body, content),
            headers=self._headers(method, key, body is not None or content is not None, headers))
        reply = self._http.send(request)
        discretion.keep_body(request.content)
        discretion.keep_body(reply.content)
        self.contract().check(request, reply)
        if expect is not None:
            wanted = expect if isinstance(expect, (set, tuple, list)) else (expect,)
            assert reply.status_code in wanted, f"expected {expect}, got {describe(request, reply)}"
        return reply

    def close(self):
        self._http.close()

    def _headers(self, method, key, has_body, extra):
        headers = {}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if has_body:
            headers["Content-Type"] = "application/json"
        if key is FRESH:
            key = str(uuid.uuid4()) if method == "POST" else None
        if key is not None:
            headers["Idempotency-Key"] = key
        headers.update(extra or {})
        return {name: value for name, value in headers.items() if value is not None}


def _content(body, content):
    assert body is None or content is None, "body or content, not both"
    return content if body is None else json.dumps(body).encode()


def describe(request, reply):
    """A request and its reply in a few lines."""
    lines = [f"{reply.status_code} for {request.method} {request.url.raw_path.decode()}"]
    if request.content:
        lines.append("  sent: " + request.content[:BODY_SHOWN].decode(errors="replace"))
    lines.append("  got:  " + reply.text[:BODY_SHOWN])
    return "\n".join(lines)
