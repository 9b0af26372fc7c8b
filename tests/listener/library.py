"""The ClickHouse engine as a shared library, made to listen.

`python -m tests.listener.library LIBRARY FOLDER HTTP_PORT TCP_PORT` listens until it is killed. The library runs
ClickHouse's `local` program, which answers on ports once its statements say so. The last of them sleeps, and so keeps
the ports open.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from pathlib import Path
from typing import Final

_STATEMENTS: Final = """
SYSTEM START LISTEN HTTP;
SYSTEM START LISTEN TCP;
SELECT count() FROM numbers(100000000) WHERE sleepEachRow(1) = 1
SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 60000000;
"""
_CONFIG: Final = """<clickhouse>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{http}</http_port>
  <tcp_port>{tcp}</tcp_port>
</clickhouse>
"""
_PR_SET_PDEATHSIG: Final = 1


def listen(library: Path, folder: Path, http_port: int, tcp_port: int) -> str:
    """Listen until killed.

    Returns:
        What the engine said when it ended by itself, which it should not.
    """
    statements, config = folder / "statements.sql", folder / "config.xml"
    statements.write_text(_STATEMENTS, encoding="utf-8")
    config.write_text(_CONFIG.format(http=http_port, tcp=tcp_port), encoding="utf-8")
    arguments = ["clickhouse", f"--config-file={config}", f"--path={folder / 'data'}", f"--queries-file={statements}"]
    engine = ctypes.CDLL(str(library))
    engine.chdb_query_cmdline.restype = ctypes.c_void_p
    engine.chdb_result_error.argtypes = [ctypes.c_void_p]
    engine.chdb_result_error.restype = ctypes.c_char_p
    encoded = [argument.encode() for argument in arguments]
    result = engine.chdb_query_cmdline(len(encoded), (ctypes.c_char_p * len(encoded))(*encoded))
    return (engine.chdb_result_error(result) or b"no reason given").decode("utf-8", "replace")


def _end_with_parent() -> None:
    """Have the kernel kill this process when a killed test run can no longer do it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    _end_with_parent()
    sys.exit(listen(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
