"""Signs and checks the tokens by which links and callback addresses name a message."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

import msgspec

from warehouse.message_identity import MessageIdentity

#: Bytes of the signature that a token carries: 128 bits keep links short, and are out of reach of guessing.
_SIGNATURE_BYTES: Final = 16
#: Longest token that is read, in characters.
MAX_TOKEN_LENGTH: Final = 4096


class MessageToken(MessageIdentity, frozen=True, array_like=True):
    """The message that a link or a callback address names; `visitor_id` is the person's.

    Args:
        target: the address that a click leads to; empty for other purposes.
        variant: the arm of the experiment; empty without one.
    """

    target: str = ""
    variant: str = ""


class MessageTokens:
    """Signs and checks message tokens, each for one purpose only.

    Args:
        secret: shared by every collector and worker.
    """

    def __init__(self, secret: bytes) -> None:
        self._signer = hmac.new(secret, digestmod=hashlib.sha256)

    def sign(self, token: MessageToken, purpose: str) -> str:
        """Return a token as it stands in an address: letters, digits, `-`, `_` and one dot.

        Args:
            purpose: the only use of the token, such as `open`, `click` or `unsubscribe`.
        """
        payload = msgspec.json.encode(token)
        return f"{_encode(payload)}.{_encode(self._signature(payload, purpose))}"

    def read(self, text: str, purpose: str) -> MessageToken | None:
        """Return the message that a token names, or None when it is forged, damaged, too long or of another purpose."""
        if len(text) > MAX_TOKEN_LENGTH:
            return None
        body = text.partition(".")[0]
        try:
            payload = _decode(body)
            # Compared as text: base64 may be written in several ways, of which only ours is a token.
            expected = f"{_encode(payload)}.{_encode(self._signature(payload, purpose))}"
            if not hmac.compare_digest(text.encode(), expected.encode()):
                return None
            return msgspec.json.decode(payload, type=MessageToken)
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            return None

    def _signature(self, payload: bytes, purpose: str) -> bytes:
        message = b"message-token:" + purpose.encode() + b":" + payload
        # A copy: `hmac.digest` lets other threads run, and each message would wait for its turn again.
        signer = self._signer.copy()
        signer.update(message)
        return signer.digest()[:_SIGNATURE_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
