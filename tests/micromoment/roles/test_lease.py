"""The lease of one machine: a lock on a file."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from micromoment.roles.lease import FileLease
from tests.waiting import until
from warehouse.errors import ConfigurationError

#: Locks the file of a lease, says so in its log, and stays.
_HOLDER = """
import asyncio, pathlib, sys, time
from micromoment.roles.lease import FileLease
async def hold():
    lease = FileLease(pathlib.Path(sys.argv[1]))
    await lease.acquire()
    time.sleep(600)
asyncio.run(hold())
"""


async def test_each_owner_has_a_greater_number(tmp_path: Path) -> None:
    numbers = []
    for _ in range(3):
        lease = FileLease(tmp_path / "var" / "worker.lock")
        assert not lease.is_held()
        await lease.acquire()
        assert lease.is_held()
        numbers.append(lease.number)
        await lease.release()
        assert not lease.is_held()
    assert numbers == [1, 2, 3]


async def test_who_comes_second_says_so_once_and_takes_over_from_a_process_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "worker.lock"
    with subprocess.Popen([sys.executable, "-u", "-c", _HOLDER, str(path)], stdout=subprocess.PIPE) as holder:  # noqa: ASYNC220
        try:
            assert holder.stdout is not None
            assert b"lease_acquired" in await asyncio.to_thread(holder.stdout.readline)
            second = FileLease(path)
            with capture_logs() as logs:
                waiting = asyncio.create_task(second.acquire())
                await until(lambda: bool(logs))
                await asyncio.sleep(1.2)  # two more attempts
                assert not waiting.done()
                holder.kill()
                async with asyncio.timeout(10):
                    await waiting
        finally:
            holder.kill()
    assert [line["event"] for line in logs] == ["worker_waits_for_lease", "lease_acquired"]
    assert f"process {holder.pid} has it" in logs[0]["reason"]
    assert second.number == 2
    await second.release()


async def test_a_file_that_says_nothing_of_its_owner_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "worker.lock").write_bytes(b"\xff half a li")
    lease = FileLease(tmp_path / "worker.lock")
    await lease.acquire()
    assert lease.number == 1
    await lease.release()


async def test_a_folder_that_cannot_be_written_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="data_folder") as refusal:
        await FileLease(tmp_path / "file" / "worker.lock").acquire()
    assert "MICROMOMENT_DATA_FOLDER" in refusal.value.hint
