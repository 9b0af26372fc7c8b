"""The settings of an installation, and the addresses that follow from them.

Each key may stand in `micromoment.toml`, in the environment (`MICROMOMENT_COLLECTOR_PORT`) or on the command line
(`--collector-port`); the command line wins over the environment, and that over the file.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from warehouse.answer_words import Category, squeezed

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Positive = Annotated[int, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]


class ShopWebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address at which a platform tells of a shop, `[sites.NAME.webhooks.HOOK]` in the file.

    Args:
        platform: the platform whose webhooks come there.
        secret: the key by which it signs; where the shop chooses it, derived from `secret` when empty.
        secret_previous: the key before, whose signatures still hold; empty for none.
        token: the secret part of the address, derived from `secret` when empty.
        shop: the domain that the platform names as the sender's, such as `acme.myshopify.com`; empty for any.
        fields: for `generic`, by the place in a message the place in what comes, or `=` and a text.
    """

    platform: Literal["shopify", "woocommerce", "generic"]
    secret: str = ""
    secret_previous: str = ""
    token: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._~-]{0,128}$")] = ""
    shop: str = ""
    fields: dict[str, str] = {}


class SiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one shop that sends events, `[sites.NAME]` in the file.

    Args:
        write_key: the public key in the snippet, which permits to write events and nothing else.
        origins: the origins of pages that may send events, such as `https://shop.example`; `*` allows every page.
        retention_days: the days that an event is kept, from its receipt.
        consent: `opt-in` keeps the events of visitors who agreed, `opt-out` the events of all who did not refuse,
            `off` leaves consent to the shop.
        url: the address of the shop, the base of relative links in emails; '' for the first of `origins`.
        confirmed_addresses: `required`, marketing goes only to email addresses and telephone numbers that are known to
            be the person's; `off`, to whatever a page names.
        hourly_messages: the most messages of a class, marketing or transactional, that leave the pages within an hour;
            0 for no ceiling.
        content_hosts: further hosts that links and pictures in messages may lead to, `*.` for any below.
        server_key: the secret key by which the shop's server is believed; derived from `secret` when empty.
        server_key_previous: the server key before, which still works; empty for none.
        identity: the worth of a user id that a page names without the shop's signature: `required`, it is not kept;
            `optional`, it is noted as a claim and joins nothing; `off`, it is believed.
        identity_secret: the key by which the shop's server signs user ids; derived from `secret` when empty.
        identity_secret_previous: the key before, whose signatures still hold; empty for none.
        webhooks: the addresses at which platforms tell of the shop, by name.
        consent_categories: by name, what a category of the shop's consent dialogue is about.
        none_ids: further ids that stand where there is no id.
        real_ids: ids that are real in this shop, though they stand for none elsewhere.
        currency: the code of the currency that the shop reckons in, such as `EUR`; empty for none.
        rates: by code of another currency, what one unit of it is worth in `currency`.
    """

    write_key: Annotated[str, msgspec.Meta(min_length=1)]
    origins: tuple[str, ...] = ("*",)
    retention_days: Annotated[int, msgspec.Meta(gt=0, le=20_000)] = 400
    consent: Literal["opt-out", "opt-in", "off"] = "opt-out"
    url: str = ""
    confirmed_addresses: Literal["required", "off"] = "required"
    hourly_messages: Annotated[int, msgspec.Meta(ge=0)] = 10_000
    content_hosts: tuple[Annotated[str, msgspec.Meta(pattern=r"^(\*\.)?[^\s/:*@]+$")], ...] = ()
    server_key: str = ""
    server_key_previous: str = ""
    identity: Literal["required", "optional", "off"] = "required"
    identity_secret: str = ""
    identity_secret_previous: str = ""
    webhooks: dict[Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")], ShopWebhookSettings] = {}
    consent_categories: dict[str, Category] = {}
    none_ids: tuple[str, ...] = ()
    real_ids: tuple[str, ...] = ()
    currency: str = ""
    rates: dict[str, Annotated[float, msgspec.Meta(gt=0)]] = {}

    @property
    def home(self) -> str:
        """The address of the shop, which relative ones start from; '' where neither `url` nor an origin tells it."""
        return self.url or next((origin for origin in self.origins if origin != "*"), "")

    @property
    def categories(self) -> dict[str, Category]:
        """Return `consent_categories` by names as they are compared."""
        return {squeezed(name): about for name, about in self.consent_categories.items()}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of one installation; `docs/configuration.md` describes each of them."""

    #: Where ClickHouse is: `chdb:///./folder` embedded, or `clickhouse://user:password@host:8123/database`.
    clickhouse: str = "chdb:///./var/clickhouse"
    #: Data source of `micromoment sql`, for an account of a server that may only read; that of `clickhouse` when empty.
    sql_clickhouse: str = ""
    #: Most memory, in bytes, that the embedded engine may use.
    clickhouse_memory_bytes: Positive = 4 * 1024**3
    #: Folder of the journal, the secrets and the engine's socket.
    data_folder: str = "var"
    #: Key that signs visitor tokens and links in messages, the same in all processes; kept in `data_folder` when empty.
    secret: str = ""
    #: Redis for roles in separate processes, `redis://host:6379/0`, with a database of its own for each installation;
    #: empty when one process runs all.
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
    #: Address that the ports of operations listen on: readiness in detail, figures, erasing and exporting.
    operations_host: str = "127.0.0.1"
    #: Port of operations of `up` and of a collector.
    operations_port: Port = 8004
    #: Port of operations of a worker that runs in a process of its own.
    worker_port: Port = 8003
    #: Address at which pages and messages reach the collector, when it differs from its own host and port.
    public_url: str = ""
    #: Path of the SDK; ad blockers match names.
    script_path: Annotated[str, msgspec.Meta(pattern=r"^/[\w./-]+\.js$")] = "/mm.js"
    #: Header of a trusted proxy that names the visitor's country with two letters, such as `cf-ipcountry`.
    country_header: str = ""
    #: Header of a trusted proxy that names the visitor's address, such as `x-forwarded-for`.
    address_header: str = ""
    #: Requests a second that one address may make in the long run; events and bytes count, too. 0 for no limit.
    rate_per_second: NotNegative = 200.0
    #: Requests that one address may make at once.
    rate_burst: Positive = 1000
    #: Requests a second that one site may get from all addresses together; 0 for no limit.
    site_rate_per_second: NotNegative = 5000.0
    #: Events that one visitor's pages may send in a minute; 0 for no limit, as is where `rate_per_second` is 0.
    visitor_events_per_minute: Annotated[int, msgspec.Meta(ge=0)] = 3000
    #: Pages of one address that may listen for banners at the same time; no limit where `rate_per_second` is 0.
    streams_per_address: Positive = 200
    #: How many days ago an event may have happened; an older one gets the time of its receipt. Imports may be older.
    event_max_age_days: Positive = 7
    #: Most bytes of rows that may wait on disk for ClickHouse; beyond it senders are told to wait.
    journal_max_bytes: Annotated[int, msgspec.Meta(ge=64 * 1024**2)] = 4 * 1024**3
    #: Most bytes of memory that the people in the worker's memory may take, about.
    people_max_bytes: Annotated[int, msgspec.Meta(ge=16 * 1024**2)] = 512 * 1024**2
    #: Days for which nothing of an erased person that arrives late, of before the erasure, is kept.
    tombstone_days: Annotated[int, msgspec.Meta(ge=1, le=7_300)] = 400
    #: Days for which firings, decisions, messages, coupons given and daily counts are kept.
    records_days: Annotated[int, msgspec.Meta(ge=1, le=7_300)] = 400
    #: Token of the admin API at the port of operations; made and kept in `data_folder` when empty.
    admin_token: str = ""
    #: Folder of the rules, one file each.
    rules_folder: str = "rules"
    #: Folder of the message templates.
    templates_folder: str = "templates"
    #: Folder of the coupon pools, a file of codes each.
    coupons_folder: str = "coupons"
    #: File of segments, stages and scores.
    audiences_file: str = "audiences.yaml"
    #: File of the policy for all rules: quiet hours, caps, gaps.
    policy_file: str = "policy.yaml"
    #: File of the addresses and telephone numbers that no message may go to, one in a line.
    suppressions_file: str = "suppressions.txt"
    #: SMTP server for email; empty for no email.
    smtp_host: str = ""
    #: Port of the SMTP server.
    smtp_port: Port = 587
    #: User name at the SMTP server; empty for no login.
    smtp_username: str = ""
    #: Password at the SMTP server.
    smtp_password: str = ""
    #: How the connection to the SMTP server is secured.
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    #: Sender of every email, `Name <address>`.
    smtp_sender: str = "Micromoment <micromoment@localhost>"
    #: Which of opens and clicks marketing emails report, for visitors who may be observed.
    email_tracking: Literal["opens_and_clicks", "opens", "clicks", "off"] = "opens_and_clicks"
    #: Which of opens and clicks transactional emails report, for visitors who may be observed.
    email_tracking_transactional: Literal["opens_and_clicks", "opens", "clicks", "off"] = "off"
    #: Address that webhook messages are posted to; empty for no webhook messages.
    webhook_url: str = ""
    #: Key that signs webhook messages (Standard Webhooks), `whsec_` and base64.
    webhook_secret: str = ""
    #: Address of the SMS provider's API, Twilio's or one that speaks it.
    sms_url: str = "https://api.twilio.com"
    #: Account SID at the SMS provider; empty for no text messages.
    sms_account: str = ""
    #: Auth token at the SMS provider, which also signs the provider's callbacks.
    sms_token: str = ""
    #: Sender of text messages: a number such as `+4915112345678`, a name, or a messaging service's SID, `MG...`.
    sms_sender: str = ""
    #: Incoming webhook of a chat, Slack's or one that understands its messages; empty for no chat.
    chat_url: str = ""
    #: Private key that signs web push (VAPID), 32 bytes in base64url. Made and kept in `data_folder` when empty.
    push_key: str = ""
    #: Contact that push services write to about our pushes, `mailto:` or `https:`.
    push_contact: str = "mailto:micromoment@localhost"
    #: Hosts of the push services that may be written to, `*.` for any below; `http://` and a host for a local one.
    push_services: str = "fcm.googleapis.com *.push.services.mozilla.com *.push.apple.com *.notify.windows.com"
    #: Key that verifies callbacks about emails (Standard Webhooks), `whsec_` and base64; empty to take no callbacks.
    callback_secret: str = ""
    #: Form of log lines: `json` for programs, `text` for people.
    log_format: Literal["json", "text"] = "json"
    #: Severity of the least severe log line that is written.
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: The shops, by name.
    sites: dict[str, SiteSettings] = {}

    @property
    def retention_days(self) -> dict[str, int]:
        """Return the days that the events of each site are kept, by the name of the site."""
        return {name: site.retention_days for name, site in self.sites.items()}


def collector_url(settings: Settings) -> str:
    """Return the address at which pages, emails and providers reach the collector, without a slash at its end."""
    return settings.public_url.rstrip("/") or f"http://{shown_host(settings)}:{settings.collector_port}"


def shown_host(settings: Settings) -> str:
    """Return the host name to show in addresses: `localhost` for an address of this machine or of all its networks."""
    return "localhost" if settings.host in {"127.0.0.1", "0.0.0.0", "::1", "::"} else settings.host  # noqa: S104 - compared
