"""A TCP proxy that can fail as networks do: fall silent, or cut."""

import select
import socket
import threading
from urllib.parse import urlsplit, urlunsplit

TURN_S = 0.05
EXECUTE = b"E\x00\x00\x00\x09\x00\x00\x00\x00\x00"  # of the unnamed portal, all rows: as libpq sends it


class Proxy:
    """Stands before one address. Silent: it takes bytes and connections and forwards nothing, as a dead host whose

    peer has not noticed yet.
    """

    def __init__(self, target):
        self.target = target
        self._open = threading.Event()
        self._open.set()
        self._answering = set()  # a gate for each connection
        self._last_words = None
        self._last_asked = None
        self._ended = threading.Event()
        self._sockets = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    def before_database(cls, url):
        """A proxy before a database, and the URL that leads through it."""
        parts = urlsplit(url)
        proxy = cls((parts.hostname, parts.port))
        credentials = parts.netloc.rpartition("@")[0]
        return proxy, urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{proxy.address[1]}"))

    def silence(self):
        self._open.clear()

    def swallow_answers_after(self, words):
        """On each connection, from the moment at which these bytes pass towards the target, nothing comes back:

        it acts, and nobody hears. Other connections go on.
        """
        self._last_words = words

    def hold_back_behind(self, statement):
        """On the next connection that executes this statement of PostgreSQL: forward up to it, and nothing behind it.

        So the server waits in the middle of a trip, as it does for a client that is stopped while it sends.
        """
        self._last_asked = statement.encode() + b"\0"

    def resume(self):
        self._last_words = self._last_asked = None
        self._open.set()
        with self._lock:
            gates = set(self._answering)
        for gate in gates:
            gate.set()

    def cut(self):
        """Break every connection; new ones are welcome."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for each in sockets:
            _shut(each)

    def close(self):
        self._ended.set()
        self.resume()
        self._listener.close()
        self.cut()

    def _accept(self):
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        self._open.wait()
        try:
            server = socket.create_connection(self.target, 10)
        except OSError:
            client.close()
            return
        answering = threading.Event()
        answering.set()
        with self._lock:
            self._sockets |= {client, server}
            self._answering.add(answering)
        for source, sink, gates in ((client, server, [self._open]), (server, client, [self._open, answering])):
            threading.Thread(target=self._forward, args=(source, sink, gates, answering), daemon=True).start()

    def _forward(self, source, sink, gates, answering):
        try:
            while not self._ended.is_set():
                if not select.select([source], [], [], TURN_S)[0]:
                    continue
                data = source.recv(65536)
                if self._last_words and self._last_words in data:
                    answering.clear()
                if self._last_asked and self._last_asked in data:
                    self._forward_up_to(data, sink)
                    break
                for gate in gates:
                    gate.wait()
                if not data:
                    break
                sink.sendall(data)
        except (OSError, ValueError):
            pass
        with self._lock:
            self._answering.discard(answering)
        _shut(source)
        _shut(sink)


    def _forward_up_to(self, data, sink):
        """Ends when the other side has ended the connection, or the proxy has."""
        asked, self._last_asked = self._last_asked, None
        sink.sendall(data[:data.index(EXECUTE, data.index(asked)) + len(EXECUTE)])
        while not self._ended.is_set() and sink.fileno() >= 0:
            self._ended.wait(TURN_S)


def _shut(each):
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    each.close()
