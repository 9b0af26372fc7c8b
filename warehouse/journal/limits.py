"""The bounds of a journal."""

from __future__ import annotations

from typing import Final

import msgspec


class JournalLimits(msgspec.Struct, frozen=True):
    """What a journal may hold.

    Args:
        max_bytes: most bytes on disk; beyond it rows are refused.
        max_age_ms: rows are refused while the oldest waiting one is older.
        memory_bytes: most bytes of waiting rows in memory; the others are read back from disk.
        segment_bytes: size of one file.
    """

    max_bytes: int = 4 * 1024**3
    max_age_ms: int = 7 * 86_400_000
    memory_bytes: int = 64 * 1024**2
    segment_bytes: int = 16 * 1024**2

    def refusal(self, size: int, age_ms: int) -> str:
        """Return why a journal can take no more rows, or "" when it can.

        Args:
            size: bytes on disk, with the rows that are to be taken.
            age_ms: how long the oldest row has waited.
        """
        if size > self.max_bytes:
            return f"the journal holds the {self.max_bytes} bytes that it may, which wait for ClickHouse"
        if age_ms > self.max_age_ms:
            return f"rows have waited for ClickHouse for {age_ms // 3_600_000} h, the longest they may"
        return ""


DEFAULT_LIMITS: Final = JournalLimits()
