"""`python -m trigger_worker.rules.library` prints docs/library.md."""

from __future__ import annotations

import sys

from trigger_worker.rules.library.catalogue import read_library, render_index

sys.stdout.write(render_index(read_library()))
