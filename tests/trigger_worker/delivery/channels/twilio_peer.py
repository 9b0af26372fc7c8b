"""An SMS provider as Twilio is: checks the account and the form, and answers in its words."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs

from tests.trigger_worker.delivery.channels.http_peer import HttpPeer, Request, answer

ACCOUNT, TOKEN = "AC00000000000000000000000000000001", "the auth token"
CREDENTIALS = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


class TwilioPeer(HttpPeer):
    """The provider; `accepted` is what it took."""

    def __init__(self) -> None:
        super().__init__(self._reply)
        self.accepted: list[dict[str, str]] = []

    @property
    def base(self) -> str:
        return self.url.removesuffix("/hook")

    def _reply(self, request: Request) -> bytes:
        if request.line != f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1":
            return problem("404 Not Found", 20404, "The requested resource was not found")
        if request.headers.get("authorization") != CREDENTIALS:
            return problem("401 Unauthorized", 20003, "Authenticate")
        if request.headers["content-type"] != "application/x-www-form-urlencoded":
            return problem("415 Unsupported Media Type", 20415, "Unsupported")
        form = {name: "".join(values) for name, values in parse_qs(request.body.decode(), strict_parsing=True).items()}
        if not form.get("To", "").startswith("+"):
            return problem("400 Bad Request", 21211, f"Invalid 'To' Phone Number: {form.get('To')}")
        if ("From" in form) == ("MessagingServiceSid" in form):
            return problem("400 Bad Request", 21603, "A 'From' phone number is required.")
        self.accepted.append(form)
        sid = f"SM{len(self.accepted):032x}"
        return answer("201 Created", "Content-Type: application/json", body=json.dumps({"sid": sid}).encode())


def problem(status: str, code: int, message: str, *headers: str) -> bytes:
    """What it answers when it does not take a message."""
    body = json.dumps({"code": code, "message": message, "more_info": "", "status": int(status[:3])}).encode()
    return answer(status, "Content-Type: application/json", *headers, body=body)
