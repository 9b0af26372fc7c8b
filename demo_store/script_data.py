"""JSON inside a page: safe between script tags whatever the data says."""

from __future__ import annotations

import json

from markupsafe import Markup

#: Characters that could end a script element or a line of JavaScript, by their escape.
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def to_script_json(data: object) -> Markup:
    """Write data as JSON that neither an HTML parser nor a JavaScript parser can take for anything else."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_ESCAPES))  # noqa: S704 - the escapes above are what makes it safe
