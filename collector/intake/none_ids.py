"""Tells ids that are none: what stands where a shop's page or server had no id to put.

Everybody who is sent under such an id would be one person, so the id is passed over, and the event stays its browser's.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from collector.intake.draft import Draft, WarningReason, text
from collector.sites import Site

#: Begins an anonymous id that is set apart: no user id begins so, and no id that a browser proves.
APART: Final = "~"
#: Ids that are none on every site, unless its setting `real_ids` names them; `docs/identity.md` has the list.
NONE_IDS: Final = frozenset(
    {
        *("undefined", "null", "none", "nil", "nan", "nul", "nullptr", "void", "empty", "blank", "inf", "infinity"),
        *("true", "false", "object object", "object", "function", "string", "number", "n/a", "missing", "default"),
        *("guest", "guest_user", "anonymous", "anonymous_user", "anon", "unknown", "unknown_user", "visitor"),
        *(
            "not_authenticated",
            "unauthenticated",
            "not_logged_in",
            "logged_out",
            "no_user",
            "no_id",
            "not_set",
            "unset",
        ),
        *("id", "user", "userid", "user_id", "distinct_id", "anonymousid", "anonymous_id", "customer_id", "client_id"),
        *("visitor_id", "email", "uuid", "guid", "0", "-1", "0x0"),
    }
)
#: The rest of a warning about an id, after its name.
PASSED_OVER: Final = "is a placeholder for no id, and passed over: leave it out, or name it in the site's real_ids"
#: A longer text is no placeholder.
_LONGEST: Final = 80
_WRAPPING: Final = " \t\r\n\v\f\"'`\u200b\u200c\u200d\ufeff\u00a0(){}[]<>«»“”‘’$%#="
#: Where the text of a template was sent instead of its result.
_TEMPLATE_BEGINS: Final = ("{{", "{%", "${", "%{", "#{", "<%", "%%", "<?", "[[", "@{")
#: An ordinary UUID, as most ids are, is known at a glance.
_UUID_LENGTH: Final = 36
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[14578][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
#: A UUID of nothing but the largest digit (RFC 9562).
_MAX_UUID: Final = "f" * 32


def read_id(draft: Draft, name: str, value: object) -> str:
    """Return an id of a message, '' for one that it does not give, and for one that is none, of which it warns.

    Args:
        draft: the event.
        name: the id's field.
        value: as it came.
    """
    if value is None or value == "":
        return ""
    if type(value) is str and len(value) == _UUID_LENGTH and not draft.site.none_ids and _UUID.fullmatch(value):
        return value
    given = text(value)
    if not given or is_none(given, draft.site):
        draft.warn(WarningReason.ID_IS_NONE, f"{name} {PASSED_OVER}")
        return ""
    return given


def is_none(given: str, site: Site) -> bool:
    """Tell whether an id is none on a site; one that is set apart, by what follows the sign."""
    if given.startswith(APART):
        given = given[1:] or "a sign alone"
    return len(given) <= _LONGEST and _is_listed(given, site.none_ids, site.real_ids)


@lru_cache(maxsize=8192)
def _is_listed(given: str, added: tuple[str, ...], excepted: tuple[str, ...]) -> bool:
    form = _form(given)
    if excepted and form in {_form(each) for each in excepted}:
        return False
    is_template = given.strip().startswith(_TEMPLATE_BEGINS)
    return is_template or not form or form in _FORMS or form in {_form(each) for each in added}


def _form(given: str) -> str:
    """Return one text for all ways to write an id that is none; '' for one that has neither letters nor digits."""
    plain = unicodedata.normalize("NFKC", given).strip(_WRAPPING).casefold()
    try:
        number = float(plain)
    except ValueError:
        number = None
    if number in {0, -1}:
        return f"{number:.0f}".replace("-0", "0")
    if number is not None and plain.strip("+-0123456789."):
        return plain.strip("+-")  # nan and infinity, with any sign
    letters = "".join(filter(str.isalnum, plain))
    is_nil = bool(letters) and not letters.strip("0")
    return "0" if is_nil or letters == _MAX_UUID else (letters if number is None else plain)


_FORMS: Final = frozenset(map(_form, NONE_IDS))
#: What programs write for no value, which is nobody's name either.
_NO_VALUES: Final = frozenset(map(_form, ("undefined", "null", "nan", "[object Object]")))


def is_no_value(written: str) -> bool:
    """Tell whether a text is what programs write where there is no value."""
    return len(written) <= _LONGEST and _form(written) in _NO_VALUES
