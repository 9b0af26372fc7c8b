"""The bus between processes, through Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import Any, Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

from micromoment.roles.bus import BusListener, BusMetrics, call, present_ms
from micromoment.roles.redis_client import TROUBLE, Backoff, asking, new_connection, redis_client
from micromoment.roles.redis_outgoing import PING_SECONDS, Outgoing
from micromoment.roles.redis_state import RedisState
from micromoment.serving import running
from warehouse.address_ledger import AddressFact
from warehouse.banner_notice import BannerNotice
from warehouse.event import EventRow
from warehouse.slots import slot_of

#: What messages tell of.
ACCEPTED: Final = "accepted"
NEWS: Final = "news"
BANNERS: Final = "banners"
ADDRESSES: Final = "addresses"

_log = structlog.get_logger("micromoment.bus")


class AcceptedEvents(msgspec.Struct, frozen=True, array_like=True):
    """The events of one slot that a collector acknowledged at once, as they travel.

    Args:
        rows: the events' rows.
        at: the instant of the acknowledgement, epoch ms.
    """

    rows: list[EventRow]
    at: int


_encode_accepted = msgspec.msgpack.Encoder().encode
_decode_accepted = msgspec.msgpack.Decoder(AcceptedEvents).decode
_encode_notice = msgspec.json.Encoder().encode
_decode_instant = msgspec.json.Decoder(int).decode
_decode_notice = msgspec.json.Decoder(BannerNotice).decode
_decode_facts = msgspec.json.Decoder(list[AddressFact]).decode


class RedisBus:
    """The bus through Redis: a publisher never waits and never fails, a listener connects again for ever.

    Redis' channels know no databases, so the number of the database is part of their names: installations that share a
    server, each with a database of its own, do not hear each other.

    Args:
        client: reaches Redis.
        metrics: shows whether messages travel, and counts what is dropped.
    """

    def __init__(self, client: Redis, metrics: BusMetrics) -> None:
        self._client = client
        self._metrics = metrics
        self._state = RedisState(metrics)
        self._state.begin("sender")
        database = client.connection_pool.connection_kwargs.get("db", 0)
        self._prefix = f"micromoment:{database}:"
        self._outgoing = Outgoing(client, metrics, self._state, self._gap_channel)
        self._numbers = count(1)

    async def run(self) -> None:
        """Send what is published until cancelled."""
        await self._outgoing.run()

    def publish_accepted(self, rows: Sequence[EventRow], at: int) -> None:
        """Send events to the listeners of their slots."""
        by_slot: dict[int, list[EventRow]] = {}
        for row in rows:
            by_slot.setdefault(slot_of(row.site, row.visitor_id), []).append(row)
        for slot, own in by_slot.items():
            message = AcceptedEvents(own, at)
            self._outgoing.put(ACCEPTED, self._slot_channel(slot), partial(_encode_accepted, message))

    def publish_news(self) -> None:
        """Send word that ClickHouse has new events."""
        self._outgoing.put(NEWS, self._prefix + NEWS, bytes)

    def publish_banner(self, notice: BannerNotice) -> None:
        """Send a banner to every collector."""
        self._outgoing.put(BANNERS, self._prefix + BANNERS, partial(_encode_notice, notice))

    def publish_addresses(self, facts: Sequence[AddressFact]) -> None:
        """Send facts of addresses to every worker."""
        self._outgoing.put(ADDRESSES, self._prefix + ADDRESSES, partial(_encode_notice, list(facts)))

    @asynccontextmanager
    async def listening(self, listener: BusListener) -> AsyncIterator[None]:
        """Call a listener's functions until the block ends."""
        name = f"listener {next(self._numbers)}"
        self._state.begin(name)
        try:
            async with running(self._listen(listener, name), f"bus {name}"):
                yield
        finally:
            self._state.end(name)

    def state(self) -> str:
        """Return 'ok', or why messages do not travel."""
        return str(self._state)

    async def _listen(self, listener: BusListener, name: str) -> None:
        """Listen until cancelled; a Redis that is away is asked again, for as long as it takes."""
        backoff, hears, connected_at = Backoff(), self._hears(listener), present_ms()
        while True:
            try:
                async with _subscription(self._client, hears) as connection:
                    self._state.up(name)
                    backoff.reset()
                    call(self._metrics, listener.on_gap, connected_at)
                    while True:
                        connected_at = present_ms()
                        self._take(await _next_message(connection), hears)
            except TROUBLE as error:
                self._state.down(name, error)
            await backoff.wait()

    def _hears(self, listener: BusListener) -> dict[bytes, Callable[[bytes], None]]:
        """Return what is to be done with a message of each channel that a listener wants to hear."""
        hears: dict[str, Callable[[bytes], None]] = {}
        if listener.on_accepted is not None:
            take = partial(self._take_accepted, listener)
            hears |= {self._slot_channel(slot): take for slot in listener.slots}
            hears[self._gap_channel(ACCEPTED)] = partial(self._take_gap, listener)
        if listener.on_news is not None:
            hears[self._prefix + NEWS] = lambda _: call(self._metrics, listener.on_news)
        if listener.on_addresses is not None:
            hears[self._prefix + ADDRESSES] = lambda data: call(
                self._metrics, listener.on_addresses, _decode_facts(data)
            )
            hears[self._gap_channel(ADDRESSES)] = partial(self._take_gap, listener)
        if listener.on_banner is not None:
            hears[self._prefix + BANNERS] = lambda data: call(self._metrics, listener.on_banner, _decode_notice(data))
            hears[self._gap_channel(BANNERS)] = partial(self._take_gap, listener)
        return {channel.encode(): hear for channel, hear in hears.items()}

    def _take_accepted(self, listener: BusListener, data: bytes) -> None:
        accepted = _decode_accepted(data)
        call(self._metrics, listener.on_accepted, accepted.rows, accepted.at)

    def _take_gap(self, listener: BusListener, data: bytes) -> None:
        call(self._metrics, listener.on_gap, _decode_instant(data) if data else 0)

    def _take(self, response: Any, hears: dict[bytes, Callable[[bytes], None]]) -> None:  # noqa: ANN401 - Redis' answer
        """Deal with what came on a subscribed connection; a message of another version is logged and left."""
        match response:
            case [b"message", bytes(channel), bytes(data)] if channel in hears:
                try:
                    hears[channel](data)
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    self._metrics.dropped.labels("unreadable").inc()
                    _log.warning("bus_message_unreadable", channel=channel.decode(), error=str(error))

    def _slot_channel(self, slot: int) -> str:
        return f"{self._prefix}{ACCEPTED}:{slot}"

    def _gap_channel(self, kind: str) -> str:
        return f"{self._prefix}gap:{kind}"


@asynccontextmanager
async def open_redis_bus(url: str, metrics: BusMetrics) -> AsyncIterator[RedisBus]:
    """Open a bus through Redis until the block ends, whether or not Redis answers.

    Raises:
        ConfigurationError: the address of Redis has a wrong form.
    """
    client = redis_client(url)
    bus = RedisBus(client, metrics)
    async with client, running(bus.run(), "bus sender"):
        yield bus


@asynccontextmanager
async def _subscription(client: Redis, channels: Collection[bytes]) -> AsyncIterator[AbstractConnection]:
    """Yield a connection of its own that every channel is subscribed on.

    The client's own `pubsub` connects again by itself, and does not tell that messages were lost meanwhile.
    """
    connection = new_connection(client)
    try:
        async with asking():
            await connection.connect()  # type: ignore[no-untyped-call]
            await connection.send_command("SUBSCRIBE", *channels)
            confirmed = 0
            while confirmed < len(channels):
                response = await connection.read_response()
                confirmed += response[0] == b"subscribe"
        yield connection
    finally:
        await connection.disconnect(nowait=True)


async def _next_message(connection: AbstractConnection) -> Any:  # noqa: ANN401 - Redis' answer
    """Return what comes next; a silent Redis is asked whether it is still there.

    Raises:
        RedisError: it is not.
    """
    response = await connection.read_response(timeout=PING_SECONDS, disconnect_on_error=False)
    if response is None:
        async with asking():
            await connection.send_command("PING", check_health=False)
            response = await connection.read_response()
    return response
