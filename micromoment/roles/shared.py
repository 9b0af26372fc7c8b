"""The parts that all roles of a process share, and the bus between collectors and workers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.base import ChannelsBackend
from litestar.channels.backends.memory import MemoryChannelsBackend
from litestar.channels.backends.redis import RedisChannelsPubSubBackend
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import RedisError

from micromoment.configuration.settings import Settings
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError
from warehouse.journal.group_commit import JournalThread

#: The topic on which a collector announces that ClickHouse has new events.
NEWS: Final = "news"
#: The topic on which the worker hands over banners, each for one visitor.
BANNERS: Final = "banners"


class Bus:
    """The bus between collectors and workers: messages on two topics, in this process or through Redis."""

    def __init__(self, channels: ChannelsPlugin) -> None:
        self._channels = channels

    async def publish(self, topic: str, data: bytes) -> None:
        """Send a message to every listener of a topic, in all processes."""
        await self._channels.wait_published(data, topic)

    async def listen(self, topic: str, hear: Callable[[bytes], Awaitable[None] | None]) -> None:
        """Call a function with every message of a topic, until cancelled.

        Args:
            topic: the topic.
            hear: called with each message, one after the other; an awaitable result is awaited.
        """
        async with self._channels.start_subscription([topic]) as subscriber:
            async for data in subscriber.iter_events():
                outcome = hear(data)
                if outcome is not None:
                    await outcome


class Shared(msgspec.Struct, frozen=True):
    """The parts that all roles of a process share.

    Args:
        settings: the settings of the installation.
        warehouse: the ClickHouse database.
        bus: the bus between collectors and workers.
        journal: takes rows of every table, durably, on their way to ClickHouse.
        caught_up: returns once all rows that earlier processes left in the journal are in ClickHouse.
        registry: the metrics that `/metrics` shows.
    """

    settings: Settings
    warehouse: Warehouse
    bus: Bus
    journal: JournalThread
    caught_up: Callable[[], Awaitable[None]]
    registry: CollectorRegistry


@asynccontextmanager
async def open_bus(redis_url: str) -> AsyncIterator[Bus]:
    """Open the bus until the block ends.

    Args:
        redis_url: the address of Redis; empty for a bus inside this process.

    Raises:
        ConfigurationError: Redis does not answer.
    """
    async with _open_backend(redis_url) as backend, ChannelsPlugin(backend, channels=[NEWS, BANNERS]) as channels:
        yield Bus(channels)


@asynccontextmanager
async def _open_backend(redis_url: str) -> AsyncIterator[ChannelsBackend]:
    if not redis_url:
        yield MemoryChannelsBackend()
        return
    try:
        client = Redis.from_url(redis_url)
    except ValueError as error:
        raise _unusable(error) from error
    async with client:
        try:
            await client.ping()
        except (RedisError, OSError, ValueError) as error:
            raise _unusable(error) from error
        yield RedisChannelsPubSubBackend(redis=client, key_prefix="micromoment")


def _unusable(error: Exception) -> ConfigurationError:
    return ConfigurationError(f"redis: {error}", "start it, or correct `redis` (MICROMOMENT_REDIS)")
