"""`holdfast relay` as a process, and an HTTP receiver for it."""

import json
import signal
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.holdfast import binary
from support.waiting import eventually

ENDS_WITHIN_S = 60


class Relay:
    """A running relay. A thread reads its standard output by lines unless `reading` is off."""

    def __init__(self, house, consumer, *options, to=("stdout",), reading=True, stdout=subprocess.PIPE, **settings):
        environment = {**house.environment(), **{f"HOLDFAST_{name.upper()}": str(value) for name, value in settings.items()}}
        self.process = subprocess.Popen(
            [str(binary()), "relay", "--to", *to, "--consumer", consumer, *map(str, options)], env=environment,
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True)
        self.lines, self.errors = [], []
        self.threads = [threading.Thread(target=self._collect, args=(self.process.stderr, self.errors))]
        if reading and stdout is subprocess.PIPE:
            self.threads.append(threading.Thread(target=self._collect, args=(self.process.stdout, self.lines)))
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _collect(pipe, into):
        for line in pipe:
            into.append(line)

    def wait_for_lines(self, n):
        eventually(lambda: len(self.lines) >= n or not self.is_running(), ENDS_WITHIN_S, f"{n} lines")

    def wait_for_error(self, text):
        eventually(lambda: text in self.error(), ENDS_WITHIN_S, f"{text} on standard error")

    def is_running(self):
        return self.process.poll() is None

    def error(self):
        return "".join(self.errors)

    def events(self):
        return [json.loads(line) for line in self.lines]

    def end(self, number=None):
        """Send the signal if one is named, and wait; the exit code."""
        if number:
            self.process.send_signal(number)
        code = self.process.wait(ENDS_WITHIN_S)
        for thread in self.threads:
            thread.join()
        return code

    def stop(self):
        code = self.end(signal.SIGTERM)
        assert code == 0, f"the relay ended with {code}: {self.error()}"

    def discard(self):
        if self.is_running():
            self.process.kill()
        self.end()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


class Receiver:
    """An HTTP server that keeps what it is sent. `answers` are the next statuses (or (status, headers)), then 204s."""

    def __init__(self, certificate=None):
        self.answers, self.requests, self.taken = [], [], []
        self.on_request = lambda: None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.on_request()
                answer = receiver.answers.pop(0) if receiver.answers else 204
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                receiver.requests.append((status, dict(self.headers), body))
                if 200 <= status < 300:
                    receiver.taken += [json.loads(line) for line in body.splitlines()]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server.server_address[1]}/events"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
