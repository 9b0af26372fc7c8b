"""What every role of a process shares."""

from __future__ import annotations

import msgspec
from prometheus_client import CollectorRegistry

from micromoment.configuration.settings import Settings
from micromoment.roles.bus import Bus
from warehouse.connection import Warehouse


class Shared(msgspec.Struct, frozen=True):
    """Settings, ClickHouse, the bus, and the registry that `/metrics` shows."""

    settings: Settings
    warehouse: Warehouse
    bus: Bus
    registry: CollectorRegistry
