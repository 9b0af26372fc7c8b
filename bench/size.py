"""Benchmark of the size of the SDK, in bytes."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent.parent / "sdk_js" / "dist"
_BROTLI: Final = """
const zlib = require('zlib');
const file = require('fs').readFileSync(process.argv[1]);
const packed = zlib.brotliCompressSync(file, {params: {[zlib.constants.BROTLI_PARAM_QUALITY]: 11}});
process.stdout.write(String(packed.length));
"""


def measure() -> list[str]:
    """Return the sizes of the built SDK, raw and compressed: of the files that a page loads, then of the parts."""
    return [_line(file) for file in (FOLDER / "mm.js", *sorted(FOLDER.glob("mm-*.js")))]


def _line(file: Path) -> str:
    plain = file.read_bytes()
    line = f"SDK, {file.name}: {len(plain)} bytes raw, {len(gzip.compress(plain, 9))} gzip -9"
    node = shutil.which("node")
    if node is None:
        return line
    brotli = subprocess.run([node, "-e", _BROTLI, str(file)], capture_output=True, text=True, check=True).stdout
    return f"{line}, {brotli} brotli 11"
