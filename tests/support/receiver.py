"""A receiver of webhooks: an HTTP server on loopback that verifies signatures and answers as the test says."""

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.waiting import eventually


def signature(secret, message_id, timestamp, body):
    """The value of webhook-signature by Standard Webhooks 1.0.0."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class Request:
    """One delivery: its headers, its body, and the event in it."""

    def __init__(self, path, headers, body, status):
        self.path, self.headers, self.body, self.status = path, headers, body, status
        self.event = json.loads(body)
        self.id = headers["webhook-id"]
        self.at = time.monotonic()

    def is_signed_by(self, secret):
        expected = signature(secret, self.id, self.headers["webhook-timestamp"], self.body)
        return any(hmac.compare_digest(one, expected) for one in self.headers["webhook-signature"].split(" "))


class Receiver:
    """Use it as a context. `answer(request)` gives the status of each answer, or a tuple of status, headers and body; it may wait."""

    def __init__(self, answer=lambda request: 200, address="127.0.0.1"):
        self.answer = answer
        self.requests = []
        self.lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = Request(self.path, dict(self.headers), body, None)
                answered = receiver.answer(request)
                status, headers, body = (*answered, b"")[:3] if isinstance(answered, tuple) else (answered, {}, b"")
                request.status = status
                with receiver.lock:
                    receiver.requests.append(request)
                try:
                    self.send_response(status)
                    for name, value in {"Content-Length": str(len(body)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

            def handle_error(self, *_):
                """A client that hangs up is none of the receiver's faults."""

        self.server = Server((address, 0), Handler)
        self.url = f"http://{address}:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def taken(self, status=200):
        """Requests answered with this status, in their order."""
        with self.lock:
            return [request for request in self.requests if request.status == status]

    def events(self, status=200):
        return [request.event for request in self.taken(status)]

    def wait_for(self, n, status=200, within=30):
        eventually(lambda: len(self.taken(status)) >= n, within, f"{n} deliveries answered {status}")
        return self.taken(status)
