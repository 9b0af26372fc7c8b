"""Makes and reads the tokens by which links and callback addresses name a message."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from warehouse.message_identity import MessageIdentity

#: Longest token that is read, in characters.
MAX_TOKEN_LENGTH: Final = 4096
#: Until then, tokens as versions before made them are read, too: signed, but not encrypted. 2027-03-01, epoch ms.
SIGNED_UNTIL_MS: Final = 1_803_859_200_000
#: Bytes of the signature of such a token.
_SIGNATURE_BYTES: Final = 16


class MessageToken(MessageIdentity, frozen=True, array_like=True):
    """The message that a link or a callback address names; `visitor_id` is the person's.

    Args:
        target: the address that a click leads to; empty for other purposes.
        variant: the arm of the experiment; empty without one.
        address: the keyed hash of the one address that it is sent to; empty where there are several or none.
    """

    target: str = ""
    variant: str = ""
    address: str = ""


class MessageTokens:
    """Makes and reads message tokens, each for one purpose only.

    A token is encrypted and authenticated (AES-SIV, RFC 5297): whoever has a link learns neither the person nor
    anything else of it, and can change nothing. The same message has the same token, so that a mail that is sent again
    is the same mail.

    Args:
        secret: shared by every collector and worker.
    """

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESSIV(hmac.digest(secret, b"message-token-cipher", hashlib.sha512))
        self._signer = hmac.new(secret, digestmod=hashlib.sha256)

    def sign(self, token: MessageToken, purpose: str) -> str:
        """Return a token as it stands in an address: letters, digits, `-` and `_`.

        Args:
            purpose: the only use of the token, such as `open`, `click` or `unsubscribe`.
        """
        return _encode(self._cipher.encrypt(msgspec.json.encode(token), [purpose.encode()]))

    def read(self, text: str, purpose: str, now_ms: int) -> MessageToken | None:
        """Return the message that a token names, or None when it is forged, damaged, too long or of another purpose.

        Args:
            text: the token as it stands in an address.
            purpose: the use that is made of it.
            now_ms: epoch ms.
        """
        if len(text) > MAX_TOKEN_LENGTH:
            return None
        try:
            if "." in text:
                payload = self._signed_payload(text, purpose) if now_ms < SIGNED_UNTIL_MS else None
            else:
                payload = self._sealed_payload(text, purpose)
            return msgspec.json.decode(payload, type=MessageToken) if payload is not None else None
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            return None

    def _sealed_payload(self, text: str, purpose: str) -> bytes | None:
        sealed = _decode(text)
        # Compared as text: base64 may be written in several ways, of which only ours is a token.
        if _encode(sealed) != text:
            return None
        try:
            return self._cipher.decrypt(sealed, [purpose.encode()])
        except InvalidTag:
            return None

    def _signed_payload(self, text: str, purpose: str) -> bytes | None:
        payload = _decode(text.partition(".")[0])
        expected = f"{_encode(payload)}.{_encode(self._signature(payload, purpose))}"
        return payload if hmac.compare_digest(text.encode(), expected.encode()) else None

    def _signature(self, payload: bytes, purpose: str) -> bytes:
        signer = self._signer.copy()
        signer.update(b"message-token:" + purpose.encode() + b":" + payload)
        return signer.digest()[:_SIGNATURE_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
