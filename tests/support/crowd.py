"""Many clients at once, each on its own connection: for races and faults, where httpx is too slow and too kind."""

import asyncio
import json
import threading
import uuid

ANSWER_WITHIN_S = 60.0
HEAD_MAX = 64 * 1024
INSIST_FOR_S = 90.0
PAUSE_S = 0.05


class Lost(Exception):
    """The connection broke before the whole answer had come: the result of the request is unknown."""


class Refused(Exception):
    """Nobody took the connection: nothing was sent."""


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of a problem; None for anything else."""
        return self.json().get("code") if self.status >= 400 else None

    @property
    def replayed(self):
        return self.headers.get("idempotent-replayed") == "true"

    @property
    def closes(self):
        return self.headers.get("connection", "").lower() == "close"

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:500]!r}>"


class Shopper:
    """One keep-alive connection to an instance, made when it is needed."""

    def __init__(self, instance, token):
        self.address = instance.address
        self.token = token
        self._streams = None
        self._loop = None  # a connection ends with its loop

    async def connect(self):
        if self._streams is not None and self._loop is asyncio.get_running_loop():
            return
        self._loop = asyncio.get_running_loop()
        try:
            self._streams = await asyncio.open_connection(*self.address, limit=HEAD_MAX)
        except OSError as error:
            self._streams = None
            raise Refused(str(error)) from error

    async def ask(self, method, path, body=None, key=None, version=None, headers=None):
        """Send one request and wait for its answer; Lost or Refused when there is none."""
        await self.connect()
        reader, writer = self._streams
        try:
            writer.write(self._request(method, path, body, key, version, headers))
            await writer.drain()
            answer = await asyncio.wait_for(_answer(reader), ANSWER_WITHIN_S)
        except (OSError, EOFError) as error:
            self.leave()
            raise Lost(repr(error)) from error
        if answer.closes:
            self.leave()
        return answer

    async def reserve(self, location, lines, key=None, **fields):
        return await self.ask(*reservation(location, lines, key, **fields))

    async def insist(self, *request):
        """Ask until there is a final answer: a request that is lost, refused, in progress or to be tried later is sent again.

        `request` must be safe to repeat: it has a key, or its method is.
        """
        end = asyncio.get_running_loop().time() + INSIST_FOR_S
        while True:
            try:
                answer = await self.ask(*request)
                if answer.status not in (503, 504) and answer.code != "idempotency-in-progress":
                    return answer
                last = repr(answer)
            except (Lost, Refused) as error:
                last = repr(error)
            assert asyncio.get_running_loop().time() < end, f"no final answer within {INSIST_FOR_S} s; the last: {last}"
            await asyncio.sleep(PAUSE_S)

    def leave(self):
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def follow(self, path, last=None):
        """A stream of events: yields (position, type, data) until it ends or breaks."""
        await self.connect()
        reader, writer = self._streams
        try:
            writer.write(self._request("GET", path, None, None, None, {"Last-Event-ID": last} if last is not None else None))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.split()[1] == b"200", head
            async for block in _blocks(reader):
                fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
                if "event" in fields:
                    yield int(fields["id"]), fields["event"], json.loads(fields["data"])
        except (OSError, EOFError):
            pass
        finally:
            self.leave()

    def _request(self, method, path, body, key, version, headers=None):
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: holdfast", f"Authorization: Bearer {self.token}"]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        if key is not None:
            lines.append(f"Idempotency-Key: {key}")
        if version is not None:
            lines.append(f'If-Match: "{version}"')
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return "\r\n".join([*lines, "", ""]).encode() + content


def reservation(location, lines, key=None, **fields):
    """The request that reserves {sku: units}."""
    body = {"location": location, "lines": [{"sku": sku, "quantity": n} for sku, n in lines.items()], **fields}
    return "POST", "/v1/reservations", body, key or str(uuid.uuid4())


def shoppers(n, *instances, token):
    """n shoppers, spread evenly over the instances."""
    return [Shopper(instances[i % len(instances)], token) for i in range(n)]


def crowd(*actions):
    """Run coroutines at the same time; their results in order, each the returned value or the exception it raised."""
    async def run():
        return await asyncio.gather(*actions, return_exceptions=True)
    return _checked(asyncio.run(run()))


class Started:
    """Coroutines that run while the test goes on."""

    def __init__(self, *actions):
        self._results = None
        self._error = None
        self._thread = threading.Thread(target=self._run, args=actions, daemon=True)
        self._thread.start()

    def answers(self):
        """Wait for all; the results that `crowd` would have returned."""
        self._thread.join()
        if self._error:
            raise self._error
        return self._results

    def _run(self, *actions):
        try:
            self._results = crowd(*actions)
        except BaseException as error:  # noqa: handed to the test's thread
            self._error = error


def rush(people, action):
    """Connect everybody first, then let `action(shopper, i)` of each run at once; as `crowd`."""
    async def one(shopper, i, gate):
        await shopper.connect()
        gate.ready()
        await gate.wait()
        try:
            return await action(shopper, i)
        finally:
            shopper.leave()

    async def run():
        gate = _Gate(len(people))
        return await asyncio.gather(*(one(shopper, i, gate) for i, shopper in enumerate(people)), return_exceptions=True)
    return _checked(asyncio.run(run()))


class _Gate:
    def __init__(self, n):
        self._missing = n
        self._open = asyncio.Event()

    def ready(self):
        self._missing -= 1
        if self._missing == 0:
            self._open.set()

    async def wait(self):
        await self._open.wait()


def _checked(results):
    """A test that fails inside a shopper fails."""
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, (Lost, Refused)):
            raise result
    return results


async def _answer(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status_line, *lines = head.rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(status_line.split()[1])
    body = await reader.readexactly(0 if status == 304 else int(headers.get("content-length", 0)))
    return Answer(status, headers, body)


async def _blocks(reader):
    """The blocks of a stream of events, out of their chunks."""
    text = b""
    while (size := int(await reader.readuntil(b"\r\n"), 16)):
        text += (await reader.readexactly(size + 2))[:-2]
        while b"\n\n" in text:
            block, _, text = text.partition(b"\n\n")
            yield block.decode()
