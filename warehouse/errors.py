"""Every error that Micromoment raises on purpose.

MicromomentError
├── ConfigurationError      a setting, file or folder that the operator must change
├── RuleError               a rule, audience or policy file that says something impossible
├── TemplateError           a template that cannot be read or rendered
├── WarehouseError          ClickHouse refused a statement or cannot be reached
│   ├── WarehouseUnavailable   worth retrying: nothing is wrong with the statement
│   └── RowsRefused            rows that cannot be read as the table's, at any time
├── JournalError            the durable journal cannot take or give rows
│   └── JournalFull            worth retrying once the warehouse has caught up
└── DeliveryError           a message could not be handed to its channel
    └── DeliveryUnavailable    worth retrying: the peer may take it later
"""

from __future__ import annotations


class MicromomentError(Exception):
    """An error that a person can act on.

    Args:
        message: the fault, naming its place.
        hint: the remedy; empty when the message says it already.
    """

    #: Whether the same attempt may succeed later without any change.
    retryable = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  remedy: {self.hint}" if self.hint else self.message


class ConfigurationError(MicromomentError):
    """A setting, file or folder that the operator must change."""


class RuleError(MicromomentError):
    """A rule, audience or policy file that says something impossible."""


class TemplateError(MicromomentError):
    """A template that cannot be read or rendered."""


class WarehouseError(MicromomentError):
    """ClickHouse refused a statement, or cannot answer."""

    #: ClickHouse's number for its refusal; 0 when it did not answer.
    code = 0


class WarehouseUnavailable(WarehouseError):
    """ClickHouse cannot be reached just now."""

    retryable = True


class RowsRefused(WarehouseError):
    """Rows that ClickHouse cannot read as the table's, or not together: sent again, they are refused again."""


class JournalError(MicromomentError):
    """The durable journal cannot take or give rows."""


class JournalFull(JournalError):
    """The journal holds as much as it may until the warehouse has caught up."""

    retryable = True


class DeliveryError(MicromomentError):
    """A message that its channel will never take."""


class DeliveryUnavailable(DeliveryError):
    """A message that its channel may take later."""

    retryable = True
