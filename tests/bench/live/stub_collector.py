"""A collector that keeps nothing: it acknowledges, and answers each probe with a banner on the visitor's stream."""

from __future__ import annotations

import re
import select
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PROBE = re.compile(rb'"probe":"(\d{8})"')
VISITOR = re.compile(rb'"anonymousId":"([^"]+)"')


class StubCollector:
    """Serves until `stop`; one thread, one epoll.

    Args:
        refuses_from: the number of the batch from which on each is answered 503; None for never.
    """

    def __init__(self, port: int = 0, refuses_from: int | None = None) -> None:
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.refuses_from = refuses_from
        self.bodies: list[bytes] = []
        self.keeps_bodies = True
        self.batches = 0
        self.streams: dict[bytes, socket.socket] = {}
        self.waiting: dict[bytes, list[bytes]] = {}
        self.stopped = False

    def run(self) -> None:
        epoll, clients = select.epoll(), {}
        epoll.register(self.listener, select.EPOLLIN)
        while not self.stopped:
            for number, _ in epoll.poll(0.05):
                if number == self.listener.fileno():
                    client, _ = self.listener.accept()
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    clients[client.fileno()] = client
                    epoll.register(client, select.EPOLLIN)
                    continue
                data = clients[number].recv(65_536)
                if data:
                    self._answer(clients[number], data)
                else:
                    epoll.unregister(number)
                    gone = clients.pop(number)
                    self.streams = {visitor: each for visitor, each in self.streams.items() if each is not gone}
                    gone.close()
        for client in clients.values():
            client.close()
        self.listener.close()
        epoll.close()

    def _answer(self, client: socket.socket, data: bytes) -> None:
        if data.startswith(b"GET /v1/stream?token="):
            visitor = data[21 : data.index(b" ", 21)]
            self.streams[visitor] = client
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: open\r\nretry: 2000\r\n\r\n"
            client.sendall(head + b"".join(self.waiting.pop(visitor, [])))
            return
        self.batches += 1
        if self.keeps_bodies:
            self.bodies.append(data)
        found = VISITOR.search(data)
        assert found
        if self.refuses_from is not None and self.batches >= self.refuses_from:
            client.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}")
            return
        body = b'{"success":true,"token":"%b"}' % found[1]
        client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        for number in PROBE.findall(data):
            self._show(found[1], b'event: banner\r\ndata: {"text":"probe=%b;"}\r\n\r\n' % number)

    def _show(self, visitor: bytes, banner: bytes) -> None:
        stream = self.streams.get(visitor)
        if stream is None:
            self.waiting.setdefault(visitor, []).append(banner)
        else:
            stream.sendall(banner)


@contextmanager
def running_stub(refuses_from: int | None = None) -> Iterator[StubCollector]:
    stub = StubCollector(refuses_from=refuses_from)
    thread = threading.Thread(target=stub.run)
    thread.start()
    try:
        yield stub
    finally:
        stub.stopped = True
        thread.join()


if __name__ == "__main__":
    alone = StubCollector(int(sys.argv[1]))
    alone.keeps_bodies = False
    alone.run()
