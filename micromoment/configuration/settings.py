"""Everything an operator may set, its meaning beside it.

Each key may stand in `micromoment.toml`, in the environment (`MICROMOMENT_COLLECTOR_PORT`) or on the command line
(`--collector-port`); the command line wins over the environment, and that over the file.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Positive = Annotated[int, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]


class SiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sites.NAME]`: one shop that sends events.

    Args:
        write_key: public key in the snippet; it may write events and nothing else.
        origins: pages that may send, such as `https://shop.example`; `*` allows every page.
        retention_days: how long an event is kept, counted from its receipt.
        consent: `opt-in` keeps only what a visitor agreed to, `opt-out` all but what a visitor refused, `off` leaves
            consent to the shop.
        url: the shop's address, which relative links in emails start from.
    """

    write_key: Annotated[str, msgspec.Meta(min_length=1)]
    origins: tuple[str, ...] = ("*",)
    retention_days: Annotated[int, msgspec.Meta(gt=0, le=20_000)] = 400
    consent: Literal["opt-out", "opt-in", "off"] = "opt-out"
    url: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole configuration; `docs/configuration.md` is made from this class."""

    #: Where ClickHouse is: `chdb:///./folder` embedded, or `clickhouse://user:password@host:8123/database`.
    clickhouse: str = "chdb:///./var/clickhouse"
    #: Most memory, in bytes, that the embedded engine may use.
    clickhouse_memory_bytes: Positive = 4 * 1024**3
    #: Folder of the spool, the secrets and the engine's socket.
    data_folder: str = "var"
    #: Signs visitor tokens and links in messages; the same for all processes. Kept in `data_folder` when empty.
    secret: str = ""
    #: Redis for roles in separate processes, `redis://host:6379/0`; empty when one process runs all.
    redis: str = ""
    #: Address that every server listens on.
    host: str = "127.0.0.1"
    #: Port of the collector.
    collector_port: Port = 8000
    #: Port of the demo store.
    store_port: Port = 8001
    #: Port of the demo mailbox's page.
    mailbox_port: Port = 8002
    #: Port of the demo mailbox's SMTP server.
    mailbox_smtp_port: Port = 8025
    #: Port of a worker's figures, when it runs in a process of its own.
    worker_port: Port = 8003
    #: Where pages and messages reach the collector, when that is not its own host and port.
    public_url: str = ""
    #: Path of the SDK; ad blockers match names.
    script_path: Annotated[str, msgspec.Meta(pattern=r"^/[\w./-]+\.js$")] = "/mm.js"
    #: Header of a trusted proxy that names the visitor's country with two letters, such as `cf-ipcountry`.
    country_header: str = ""
    #: Header of a trusted proxy that names the visitor's address, such as `x-forwarded-for`.
    address_header: str = ""
    #: Requests a second that one address may make in the long run; 0 for no limit.
    rate_per_second: NotNegative = 200.0
    #: Requests that one address may make at once.
    rate_burst: Positive = 1000
    #: Events that may wait on disk for ClickHouse; beyond it senders are told to wait.
    spool_max_events: Positive = 5_000_000
    #: Folder of the rules, one file each.
    rules_folder: str = "rules"
    #: Folder of the message templates.
    templates_folder: str = "templates"
    #: Folder of the coupon pools, a file of codes each.
    coupons_folder: str = "coupons"
    #: File of segments, stages and scores.
    audiences_file: str = "audiences.yaml"
    #: File of what holds for all rules: quiet hours, caps, gaps.
    policy_file: str = "policy.yaml"
    #: List of addresses and telephone numbers that are never written to, one in a line.
    suppressions_file: str = "suppressions.txt"
    #: SMTP server for email; empty for no email.
    smtp_host: str = ""
    #: Its port.
    smtp_port: Port = 587
    #: Its user, empty for none.
    smtp_username: str = ""
    #: Its password.
    smtp_password: str = ""
    #: How the connection is secured.
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    #: Sender of every email, `Name <address>`.
    smtp_sender: str = "Micromoment <micromoment@localhost>"
    #: What marketing emails report back, of visitors who may be observed.
    email_tracking: Literal["opens_and_clicks", "opens", "clicks", "off"] = "opens_and_clicks"
    #: The same for transactional emails.
    email_tracking_transactional: Literal["opens_and_clicks", "opens", "clicks", "off"] = "off"
    #: Where webhook messages are posted; empty for none.
    webhook_url: str = ""
    #: Signs webhook messages (Standard Webhooks), `whsec_` and base64.
    webhook_secret: str = ""
    #: Address of the SMS provider's API, Twilio's or one that speaks it.
    sms_url: str = "https://api.twilio.com"
    #: Account SID at the SMS provider; empty for no text messages.
    sms_account: str = ""
    #: Its auth token, which also signs the provider's callbacks.
    sms_token: str = ""
    #: Sender of text messages: a number such as `+4915112345678`, a name, or a messaging service's SID, `MG...`.
    sms_sender: str = ""
    #: Incoming webhook of a chat, Slack's or one that understands its messages; empty for no chat.
    chat_url: str = ""
    #: Private key that signs web push (VAPID), 32 bytes in base64url. Made and kept in `data_folder` when empty.
    push_key: str = ""
    #: Whom push services write to about our pushes, `mailto:` or `https:`.
    push_contact: str = "mailto:micromoment@localhost"
    #: Hosts of the push services that may be written to, `*.` for any below; `http://` and a host for a local one.
    push_services: str = "fcm.googleapis.com *.push.services.mozilla.com *.push.apple.com *.notify.windows.com"
    #: Verifies callbacks about emails (Standard Webhooks), `whsec_` and base64; empty to take none.
    callback_secret: str = ""
    #: Log lines for programs or for people.
    log_format: Literal["json", "text"] = "json"
    #: Least severe log line that is written.
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: The shops, by name.
    sites: dict[str, SiteSettings] = {}

    @property
    def retention_days(self) -> dict[str, int]:
        """By site, how long its events are kept."""
        return {name: site.retention_days for name, site in self.sites.items()}
