"""The channel `sms`: sends text messages by Twilio's REST API, or by a provider with a compatible one."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from trigger_worker.delivery.channels.base import OutboundMessage, wrong_content
from trigger_worker.delivery.channels.http_post import Answer, HttpChannel, HttpPost, web_url
from trigger_worker.delivery.content.links import MessageLinks
from trigger_worker.delivery.content.text_message import SmsContent
from warehouse.errors import ConfigurationError, DeliveryError

_SERVICE_PREFIX: Final = "MG"
#: The longest `ValidityPeriod` that the API takes, in seconds: ten hours.
_LONGEST_VALIDITY_S: Final = 36_000


class SmsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The provider's account and the sender.

    Args:
        url: the provider's address, such as `https://api.twilio.com`.
        account: the account's SID, `AC...`.
        token: the account's secret.
        sender: a phone number in E.164, a name, or the SID of a messaging service, `MG...`.
        timeout_s: the most time of one attempt, in seconds.
    """

    url: str
    account: str
    token: str
    sender: str
    timeout_s: float = 10.0

    def __repr__(self) -> str:
        return f"SmsSettings(url={self.url!r}, sender={self.sender!r})"


class _Problem(msgspec.Struct, frozen=True):
    """The provider's reason for not taking a message."""

    code: int = 0
    message: str = ""


class SmsChannel(HttpChannel):
    """Sends each message to its first recipient.

    The API takes no idempotency key: a request without an answer is a `DeliveryUncertain`, and the caller decides by
    the message's class whether to repeat it.

    Args:
        settings: the account.
        links: signs the addresses to which the provider reports.
        now_ms: returns the present, in epoch ms.

    Raises:
        ConfigurationError: the address is invalid, or account, token or sender are missing.
    """

    name: Final = "sms"

    def __init__(self, settings: SmsSettings, links: MessageLinks, now_ms: Callable[[], int]) -> None:
        for key in ("account", "token", "sender"):
            if not getattr(settings, key):
                raise ConfigurationError(f"sms_{key} is missing", "set it, or remove sms_account for no text messages")
        base = settings.url.rstrip("/")
        self._url = web_url(f"{base}/2010-04-01/Accounts/{quote(settings.account)}/Messages.json", "sms_url")
        self._peer = self._url.host
        self._settings = settings
        self._links = links
        self._now_ms = now_ms
        super().__init__(HttpPost("sms", settings.timeout_s, now_ms))
        credentials = base64.b64encode(f"{settings.account}:{settings.token}".encode()).decode()
        self._headers = {
            "authorization": f"Basic {credentials}",
            "content-type": "application/x-www-form-urlencoded",
        }

    async def send(self, message: OutboundMessage) -> None:
        """Hand one text message to the provider.

        Raises:
            DeliveryUnavailable: the provider may take the message later.
            DeliveryUncertain: the provider did not answer.
            DeliveryError: the provider refused the message, or the message is none for a phone.
        """
        content = message.content
        if not isinstance(content, SmsContent):
            raise wrong_content("sms", message)
        if not message.recipients:
            raise DeliveryError(f"sms: message {message.message_id} has no phone number to go to")
        body = urlencode(self._form(message, content)).encode()
        answer = await self._http.post(self._url, body, self._headers, self._peer)
        if not answer.taken:
            raise self._http.refusal(_with_problem(answer), self._peer)

    def _form(self, message: OutboundMessage, content: SmsContent) -> dict[str, str]:
        sender = self._settings.sender
        left_s = (message.expires_at_ms - self._now_ms()) // 1000
        form = {
            "To": message.recipients[0],
            "MessagingServiceSid" if sender.startswith(_SERVICE_PREFIX) else "From": sender,
            "Body": content.text,
            "ValidityPeriod": str(min(max(left_s, 1), _LONGEST_VALIDITY_S)),
        }
        return form | ({"StatusCallback": self._links.text_status(message.token)} if message.token else {})


def _with_problem(answer: Answer) -> Answer:
    """Return the answer with the provider's code and words in place of its JSON, where it gave some."""
    try:
        problem = msgspec.json.decode(answer.body, type=_Problem)
    except msgspec.DecodeError:
        return answer
    if not problem.code:
        return answer
    return msgspec.structs.replace(answer, body=f"error {problem.code}: {problem.message}".encode())
