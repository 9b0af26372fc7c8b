"""How Twilio signs what it posts: https://www.twilio.com/docs/usage/security, "Validating requests"."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

#: The fields of a form, in any order.
Form = Sequence[tuple[str, str]]


def sms_signature(token: str, url: str, form: Form) -> str:
    """Return the value of `X-Twilio-Signature`.

    HMAC-SHA1 (the provider's choice) over the address, then each field's name and value in the order of the names.

    Args:
        token: the account's auth token.
        url: the whole address that is posted to, with its query.
        form: a field that is there twice with the same value counts once.
    """
    signed = url + "".join(f"{name}{value}" for name, value in sorted(set(form)))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()


def is_genuine_form(token: str, url: str, form: Form, signature: str) -> bool:
    """Tell in constant time whether the holder of the token signed a form."""
    return hmac.compare_digest(sms_signature(token, url, form).encode(), signature.encode())
