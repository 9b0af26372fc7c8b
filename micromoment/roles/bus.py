"""How collectors and workers hear from each other: in this process, or through Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from litestar.channels import ChannelsPlugin
from litestar.channels.backends.base import ChannelsBackend
from litestar.channels.backends.memory import MemoryChannelsBackend
from litestar.channels.backends.redis import RedisChannelsPubSubBackend
from redis.asyncio import Redis
from redis.exceptions import RedisError

from warehouse.errors import ConfigurationError

NEWS: Final = "news"  # the collector says: ClickHouse has new events
BANNERS: Final = "banners"  # the worker says: this visitor gets this banner


class Bus:
    """Publishes to and listens on the two topics."""

    def __init__(self, channels: ChannelsPlugin) -> None:
        self._channels = channels

    async def publish(self, topic: str, data: bytes) -> None:
        """Send bytes to every listener of a topic, in whatever process."""
        await self._channels.wait_published(data, topic)

    async def listen(self, topic: str, hear: Callable[[bytes], Awaitable[None] | None]) -> None:
        """Call `hear` with every message of a topic until cancelled."""
        async with self._channels.start_subscription([topic]) as subscriber:
            async for data in subscriber.iter_events():
                outcome = hear(data)
                if outcome is not None:
                    await outcome


@asynccontextmanager
async def open_bus(redis_url: str) -> AsyncIterator[Bus]:
    """Open the bus.

    Args:
        redis_url: empty for a bus inside this process.

    Raises:
        ConfigurationError: Redis does not answer.
    """
    backend = await _redis_backend(redis_url) if redis_url else MemoryChannelsBackend()
    async with ChannelsPlugin(backend, channels=[NEWS, BANNERS]) as channels:
        yield Bus(channels)


async def _redis_backend(url: str) -> ChannelsBackend:
    try:
        client = Redis.from_url(url)
        await client.ping()
    except (RedisError, OSError, ValueError) as error:
        raise ConfigurationError(f"redis: {error}", "start it, or correct `redis` (MICROMOMENT_REDIS)") from error
    return RedisChannelsPubSubBackend(redis=client, key_prefix="micromoment")
