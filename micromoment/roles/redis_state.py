"""Whether the connections of a bus to Redis work: one figure, one line of the log for each change."""

from __future__ import annotations

import structlog

from micromoment.roles.bus import BusMetrics
from micromoment.roles.redis_client import REMEDY

_log = structlog.get_logger("micromoment.bus")


class RedisState:
    """Whether every connection of a bus to Redis works.

    Args:
        metrics: shows it.
    """

    def __init__(self, metrics: BusMetrics) -> None:
        self._metrics = metrics
        self._troubles: dict[str, str] = {}
        self._told = ""
        self._metrics.connected.set(0)

    def begin(self, connection: str) -> None:
        """Note a connection that is not there yet."""
        self._troubles[connection] = "connecting"
        self._metrics.connected.set(0)

    def end(self, connection: str) -> None:
        """Forget a connection that is no longer wanted."""
        self._troubles.pop(connection, None)

    def up(self, connection: str) -> None:
        """Note that a connection works."""
        if self._troubles.pop(connection, None) and not self._troubles:
            self._metrics.connected.set(1)
            if self._told != "connected":
                self._told = "connected"
                _log.info("bus_connected")

    def down(self, connection: str, error: Exception) -> None:
        """Note that a connection does not work."""
        self._troubles[connection] = str(error) or type(error).__name__
        self._metrics.connected.set(0)
        if self._told != "away":
            self._told = "away"
            _log.warning("bus_away", error=self._troubles[connection], remedy=REMEDY)

    def __str__(self) -> str:
        """Return 'ok', or the trouble."""
        return next(iter(self._troubles.values()), "ok")
