"""HTTP by hand: for requests that no decent client would send."""

import re
import socket
import time

TIMEOUT_S = 15.0
HEAD_MAX = 64 * 1024


class RawReply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # list of (name in lower case, value)
        self.body = body

    def header(self, name):
        """The value of a header that stands once; None when it does not stand at all."""
        values = [value for key, value in self.headers if key == name.lower()]
        assert len(values) <= 1, f"header {name} stands {len(values)} times"
        return values[0] if values else None

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:500]!r}>"


class RawConnection:
    """One TCP connection; every wait ends after `timeout` seconds with an AssertionError."""

    def __init__(self, address, timeout=TIMEOUT_S):
        self.timeout = timeout
        self._socket = socket.create_connection(address, timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self._socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def drip(self, data, every=1.0, give_up=120.0):
        """Send byte by byte with a pause between, until all is sent or the peer closes or answers.

        The seconds it took; AssertionError when the peer bears it longer than `give_up`.
        """
        begin = time.monotonic()
        for byte in data if isinstance(data, bytes) else data.encode("latin-1"):
            try:
                self._socket.sendall(bytes([byte]))
            except OSError:
                break
            assert time.monotonic() - begin < give_up, f"the peer still listens to a drip after {give_up} s"
            if self._has_news(every):
                break
        return time.monotonic() - begin

    def reply(self, method="GET"):
        """The next reply, interim ones (1xx) left out."""
        while True:
            head = self._take_until(b"\r\n\r\n")
            status_line, *lines = head.decode("latin-1").split("\r\n")
            found = re.fullmatch(r"HTTP/1\.[01] (\d{3}) ?.*", status_line)
            assert found, f"no status line: {status_line!r}"
            status = int(found[1])
            headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
            if status >= 200:
                return RawReply(status, headers, self._body(method, status, dict(headers)))

    def wait_for_interim(self):
        """The next head is that of a 100 Continue."""
        head = self._take_until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 100 "), f"no interim reply: {head!r}"

    def first_status(self):
        """The status of the next reply, whatever its form; `everything` still has all of it."""
        while b"\r\n" not in self._received:
            self._receive()
        return int(self._received.split(b" ", 2)[1])

    def everything(self):
        """All that comes until the peer closes."""
        return self._received + self._rest(self.timeout)

    def assert_closed(self, within=None):
        """The peer has closed, or does so in time, without another byte."""
        rest = self._received + self._rest(within or self.timeout)
        assert rest == b"", f"the peer sent more before it closed: {rest[:500]!r}"

    def finish_sending(self):
        """Close our half of the connection: nothing more will come, answers are welcome."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self):
        self._socket.close()

    def _body(self, method, status, headers):
        if method == "HEAD" or status in (204, 304):
            return b""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        if "content-length" in headers:
            return self._take(int(headers["content-length"]))
        body, self._received = self._received + self._rest(self.timeout), b""
        return body

    def _chunks(self):
        body = b""
        while True:
            size = int(self._take_until(b"\r\n").split(b";")[0], 16)
            body += self._take(size)
            self._take_until(b"\r\n")
            if size == 0:
                return body

    def _take(self, size):
        while len(self._received) < size:
            self._receive()
        taken, self._received = self._received[:size], self._received[size:]
        return taken

    def _take_until(self, end):
        while end not in self._received:
            assert len(self._received) < HEAD_MAX, "the head of the reply does not end"
            self._receive()
        taken, self._received = self._received.split(end, 1)
        return taken

    def _receive(self):
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"no answer within {self.timeout} s; so far {self._received[:500]!r}")
        except OSError as error:
            raise AssertionError(f"the connection broke ({error}); so far {self._received[:500]!r}")
        assert data, f"the peer closed; so far {self._received[:500]!r}"
        self._received += data

    def _has_news(self, within):
        self._socket.settimeout(within)
        try:
            data = self._socket.recv(65536)
            self._received += data
            return True
        except TimeoutError:
            return False
        except OSError:
            return True
        finally:
            self._socket.settimeout(self.timeout)

    def _rest(self, within):
        """All until the peer closes; a reset is a close as well."""
        rest = b""
        end = time.monotonic() + within
        while True:
            self._socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise AssertionError(f"the peer did not close within {within} s")
            except OSError:
                return rest
            if not data:
                return rest
            rest += data


def exchange(address, data, method="GET", timeout=TIMEOUT_S):
    """Send bytes on a new connection and return the first reply."""
    with RawConnection(address, timeout) as connection:
        connection.send(data)
        return connection.reply(method)
