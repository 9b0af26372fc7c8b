"""Non-blocking sockets on one epoll: requests over kept connections, and event streams."""

from __future__ import annotations

import select
import socket
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

_HOST: Final = "127.0.0.1"
_READ_BYTES: Final = 65_536
_MAX_EVENTS: Final = 512
#: Connections that requests may hold at once; a request beyond them waits, and its clock runs.
MAX_CONNECTIONS: Final = 256

#: Takes the reply to a request: its status (0 when the connection broke) and everything that was received.
Done = Callable[[int, bytes], None]
#: Takes what a stream received.
Heard = Callable[[bytes], None]


class Wire:
    """The sockets of one load generator, all to one server.

    Args:
        port: where on loopback the server listens.
    """

    def __init__(self, port: int) -> None:
        self.address = (_HOST, port)
        self.failures: Counter[str] = Counter()
        self._epoll = select.epoll()
        self._sockets: dict[int, Line] = {}

    def poll(self, seconds: float) -> None:
        """Wait until a socket is ready, at most `seconds`, and let every ready one read and write."""
        for number, events in self._epoll.poll(max(0.0, seconds), _MAX_EVENTS):
            line = self._sockets.get(number)
            if line is not None:
                line.on_ready(events)

    def add(self, line: Line) -> None:
        """Watch a line for what it receives."""
        number = line.socket.fileno()
        self._sockets[number] = line
        self._epoll.register(number, select.EPOLLIN)

    def watch_writing(self, line: Line, *, wanted: bool) -> None:
        """Tell whether a line waits for its socket to take more bytes."""
        self._epoll.modify(line.socket.fileno(), select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    def remove(self, line: Line) -> None:
        """Close a line's socket and forget it."""
        self._sockets.pop(line.socket.fileno(), None)
        line.socket.close()

    def close(self) -> None:
        """Close every socket."""
        for line in list(self._sockets.values()):
            self.remove(line)
        self._epoll.close()


class Line:
    """One socket: connects, writes what it is given, and passes on what it receives.

    Args:
        wire: watches it.
    """

    def __init__(self, wire: Wire) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(0)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.is_open = True
        self._wire = wire
        self._unsent = b""
        self.socket.connect_ex(wire.address)
        wire.add(self)

    def write(self, data: bytes) -> None:
        """Send bytes; those that the socket does not take yet follow once it does."""
        try:
            sent = self.socket.send(data)
        except BlockingIOError:  # not yet connected, or full
            sent = 0
        except OSError:
            self._fail("send")
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._wire.watch_writing(self, wanted=True)

    def on_ready(self, events: int) -> None:
        """Do what the socket is ready for."""
        if events & select.EPOLLOUT and self._unsent:
            data, self._unsent = self._unsent, b""
            self._wire.watch_writing(self, wanted=False)
            self.write(data)
        if self.is_open and events & ~select.EPOLLOUT:
            self._receive()

    def close(self) -> None:
        """Close the socket."""
        if self.is_open:
            self.is_open = False
            self._wire.remove(self)

    def on_data(self, data: bytes) -> None:
        """Take bytes that were received."""
        raise NotImplementedError

    def on_broken(self) -> None:
        """Act on the end of a connection that this side did not end."""

    def _receive(self) -> None:
        try:
            data = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.on_data(data)
        else:
            self._fail("closed by the server")

    def _fail(self, reason: str) -> None:
        self._wire.failures[reason] += 1
        self.close()
        self.on_broken()


class Stream(Line):
    """An open page's line on which banners arrive.

    Args:
        wire: watches it.
        token: of the visitor, from the reply to a batch.
        heard: takes what arrives, heads of the answer and signs of life included.
    """

    def __init__(self, wire: Wire, token: bytes, heard: Heard) -> None:
        super().__init__(wire)
        self._heard = heard
        self.write(
            # In the header, and in the address for earlier checkouts.
            b"GET /v1/stream?token=" + token + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
            b"Authorization: Bearer " + token + b"\r\n"
            b"Cache-Control: no-cache\r\nOrigin: https://shop.example\r\n\r\n"
        )

    def on_data(self, data: bytes) -> None:
        """Pass on what arrived."""
        self._heard(data)


class _Connection(Line):
    """A kept connection with one request under way, or none."""

    def __init__(self, wire: Wire, requests: Requests) -> None:
        super().__init__(wire)
        self._requests = requests
        self._done: Done | None = None
        self._received = b""

    def send(self, request: bytes, done: Done) -> None:
        self._done = done
        self.write(request)

    def on_data(self, data: bytes) -> None:
        self._received = received = self._received + data if self._received else data
        head = received.find(b"\r\n\r\n")
        if head < 0 or len(received) < head + 4 + _content_length(received, head):
            return
        self._received = b""
        self._finish(int(received[9:12]), received)

    def on_broken(self) -> None:
        if self._done is None:
            self._requests.forget(self)
        else:
            self._finish(0, b"")

    def _finish(self, status: int, reply: bytes) -> None:
        done, self._done = self._done, None
        self._requests.release(self)
        if done is not None:
            done(status, reply)


class Requests:
    """Sends requests over kept connections, each with one request at a time.

    Args:
        wire: watches the connections.
        connections: how many there may be; a further request waits for the first that is free.
    """

    def __init__(self, wire: Wire, connections: int = MAX_CONNECTIONS) -> None:
        self.under_way = 0
        self._wire = wire
        self._left = connections
        self._idle: list[_Connection] = []
        self._waiting: deque[tuple[bytes, Done]] = deque()

    def send(self, request: bytes, done: Done) -> None:
        """Send a request as soon as a connection is free, and call `done` with the reply."""
        self.under_way += 1
        if self._idle:
            self._idle.pop().send(request, done)
        elif self._left:
            self._left -= 1
            _Connection(self._wire, self).send(request, done)
        else:
            self._waiting.append((request, done))

    def release(self, connection: _Connection) -> None:
        """Take back a connection whose request is answered, or which broke."""
        self.under_way -= 1
        if not connection.is_open:
            self._left += 1
        elif self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._idle.append(connection)

    def forget(self, connection: _Connection) -> None:
        """Leave out a connection that the server closed while it was idle."""
        self._idle.remove(connection)
        self._left += 1


def _content_length(reply: bytes, head: int) -> int:
    """Return how long a reply's body is; servers write the header's name in either case."""
    start = reply.find(b"content-length:", 0, head)
    if start < 0:
        start = reply.lower().index(b"content-length:", 0, head)
    return int(reply[start + 15 : reply.index(b"\r", start)])
