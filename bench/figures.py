"""Percentiles and summaries of samples."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that at least `share` (0 to 1) of all samples do not exceed (nearest rank)."""
    ordered = sorted(samples)
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[int(rank) - 1]


def summary(name: str, samples_ms: Sequence[float], shares: Sequence[float]) -> str:
    """Return a line such as `banner visible: p50 212 ms, p95 301 ms (50 runs)`."""
    figures = ", ".join(f"p{share * 100:g} {percentile(samples_ms, share):.0f} ms" for share in shares)
    return f"{name}: {figures}, max {max(samples_ms):.0f} ms ({len(samples_ms)} runs)"
