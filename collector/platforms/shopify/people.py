"""What Shopify tells of customers: who they are, whether they may be written to, and to forget them."""

from __future__ import annotations

from typing import Final

from collector.intake.draft import DropReason
from collector.platforms.facts import digest_of, traits_of
from collector.platforms.fields import PayloadFields
from collector.platforms.platform import Circumstances, PrivacyRequest, Translation, Who

#: By the field of an answer about offers, the channel that it is about.
_CHANNELS: Final = {"email_marketing_consent": "email", "sms_marketing_consent": "sms"}
#: States in which nobody has answered yet, or no longer: they say neither yes nor no.
_NO_ANSWER: Final = frozenset({"not_subscribed", "pending", "redacted", "invalid"})


def tell_customer(told: Translation, customer: PayloadFields, _: Circumstances, changed_at: str = "") -> None:
    """Tell who a customer is, and what they answered about offers.

    Args:
        told: takes the messages.
        customer: the customer's record, or as much of it as stands in an order.
        changed_at: when it became so, where the record does not say.
    """
    customer_id = customer.text("id")
    if not customer_id:
        return told.drop(DropReason.MALFORMED, "the customer has no id")
    who, at = Who(user_id=customer_id), customer.text("updated_at") or changed_at
    if traits := traits_of(customer, customer.inner("default_address")):
        message_id = f"shopify-customer-{customer_id}-{at or digest_of(traits)}"
        told.say("identify", message_id, who, at, traits=traits)
    for field, channel in _CHANNELS.items():
        if answer := customer.inner(field):
            _tell_answer(told, who, channel, answer, at)
    return None


def tell_new_customer(told: Translation, customer: PayloadFields, around: Circumstances) -> None:
    """Tell of a new customer, who has signed up when there is an account: guests who order are customers, too."""
    tell_customer(told, customer, around)
    customer_id, at = customer.text("id"), customer.text("created_at")
    if customer_id and customer.text("state") == "enabled":
        message_id = f"shopify-sign-up-{customer_id}"
        told.say("track:sign_up", message_id, Who(user_id=customer_id), at, properties={"method": "shopify"})


def tell_change(told: Translation, change: PayloadFields, _: Circumstances) -> None:
    """Tell what a customer answered about offers, at the address that the change names."""
    customer_id = change.text("customer_id", "id")
    if not customer_id:
        return told.drop(DropReason.MALFORMED, "the answer names no customer")
    who = Who(user_id=customer_id)
    found = [(channel, change.inner(field)) for field, channel in _CHANNELS.items() if change.has(field)]
    for channel, answer in found:
        at = answer.text("consent_updated_at")
        address = change.text("email_address", "email") if channel == "email" else change.text("phone")
        if address:
            message_id = f"shopify-address-{customer_id}-{channel}-{at or digest_of(address)}"
            told.say("identify", message_id, who, at, traits={"email" if channel == "email" else "phone": address})
        _tell_answer(told, who, channel, answer, at)
    if not found:
        told.drop(DropReason.MALFORMED, f"the answer has none of {', '.join(_CHANNELS)}")
    return None


def ask_to_erase(told: Translation, customer: PayloadFields, _: Circumstances) -> None:
    """Ask to erase a customer whom the shop deleted."""
    _erase(told, customer, "the customer has neither id nor email")


def ask_to_redact(told: Translation, request: PayloadFields, _: Circumstances) -> None:
    """Ask to erase a customer who wants it."""
    _erase(told, request.inner("customer"), "the request names no customer")


def ask_for_data(told: Translation, request: PayloadFields, _: Circumstances) -> None:
    """Ask to hand a customer their data."""
    number = request.inner("data_request").text("id")
    told.request = PrivacyRequest("data_request", request.inner("customer").text("id"), number=number)


def ask_to_redact_shop(told: Translation, request: PayloadFields, _: Circumstances) -> None:
    """Ask to erase what came from a shop that left."""
    told.request = PrivacyRequest("shop_redact", number=request.text("shop_id"))


def _erase(told: Translation, customer: PayloadFields, complaint: str) -> None:
    user_id, email = customer.text("id"), customer.text("email").lower()
    if not user_id and not email:
        return told.drop(DropReason.MALFORMED, complaint)
    told.request = PrivacyRequest("erase", user_id, email)
    return None


def _tell_answer(told: Translation, who: Who, channel: str, answer: PayloadFields, recorded_at: str) -> None:
    """Tell a yes or no at the time it was given, so that repeating it later takes nothing newer back."""
    state, at = answer.text("state").lower(), answer.text("consent_updated_at")
    message_id = f"shopify-{channel}-{state}-{who.user_id}-{at or recorded_at}"
    if state == "unsubscribed":
        properties = {"channel": channel, "source": "shopify"}
        told.say("track:unsubscribed", message_id, who, at or recorded_at, properties=properties)
    elif state == "subscribed" and at:
        yes = {"channels": {channel: True}, "source": "shopify"}
        told.say("track:consent", message_id, who, at, properties=yes)
    elif state == "subscribed":
        # Shopify repeats a state with each change: without its time it may be older than a no that was said to us.
        answer.remark("consent_updated_at", "is missing, so that nobody knows how old the yes is: passed over")
    elif state not in _NO_ANSWER:
        answer.note("state", "one that Shopify documents")
