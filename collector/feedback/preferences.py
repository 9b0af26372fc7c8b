"""The preference page: the channels and offers that a person agreed to, the changes they make, and the page's texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any, Final

import msgspec

from collector.feedback.address_notes import addresses_of_message, read_standing
from warehouse.address_ledger import Standing
from warehouse.answers import Answers
from warehouse.channel_traits import PREFERENCE_CHANNELS, reader_names
from warehouse.connection import Warehouse
from warehouse.message_token import MessageToken
from warehouse.queries import read_sql

#: Channels that reach a person, in the order of the page.
CHANNELS: Final = PREFERENCE_CHANNELS


class Preferences(msgspec.Struct, frozen=True):
    """The offers and channels that a person agrees to.

    Args:
        marketing: whether offers and news may be sent.
        channels: by name, whether it may be used at all.
    """

    marketing: bool = True
    channels: Mapping[str, bool] = msgspec.field(default_factory=lambda: dict.fromkeys(CHANNELS, True))


class PreferenceWords(msgspec.Struct, frozen=True, kw_only=True):
    """The page's texts in one language; `introduction` stands before the shop's name."""

    language: str
    title: str
    introduction: str
    topics: str
    marketing: str
    channels: str
    channels_hint: str
    channel_names: Mapping[str, str]
    save: str
    saved: str
    leave_title: str
    leave: str
    left: str


_ENGLISH: Final = PreferenceWords(
    language="en",
    title="What you get from us",
    introduction="Choose what you want to hear, and how. Sender:",
    topics="Topics",
    marketing="Offers and news",
    channels="Ways to reach you",
    channels_hint="A way that you switch off is not used for anything, messages about your orders included.",
    channel_names=reader_names("en"),
    save="Save",
    saved="Saved. It holds from now on.",
    leave_title="No more offers?",
    leave="Unsubscribe at once",
    left="You are unsubscribed. You get no more offers and news this way.",
)
_GERMAN: Final = PreferenceWords(
    language="de",
    title="Was Sie von uns bekommen",
    introduction="Wählen Sie, was Sie erfahren möchten und wie. Absender:",
    topics="Themen",
    marketing="Angebote und Neuigkeiten",
    channels="So dürfen wir Sie erreichen",
    channels_hint="Ein Weg, den Sie abschalten, wird für nichts benutzt, auch nicht für Nachrichten zu Bestellungen.",
    channel_names=reader_names("de"),
    save="Speichern",
    saved="Gespeichert. Es gilt ab sofort.",
    leave_title="Keine Angebote mehr?",
    leave="Sofort abmelden",
    left="Sie sind abgemeldet. Angebote und Neuigkeiten kommen auf diesem Weg nicht mehr.",
)
_SPANISH: Final = PreferenceWords(
    language="es",
    title="Lo que recibe de nosotros",
    introduction="Elija qué quiere recibir y cómo. Remitente:",
    topics="Temas",
    marketing="Ofertas y novedades",
    channels="Cómo podemos contactarle",
    channels_hint="Un medio que desactive no se usa para nada, tampoco para mensajes sobre sus pedidos.",
    channel_names=reader_names("es"),
    save="Guardar",
    saved="Guardado. Vale desde ahora.",
    leave_title="¿No quiere más ofertas?",
    leave="Darse de baja ahora",
    left="Se ha dado de baja. Ya no recibirá ofertas ni novedades por este medio.",
)
_FRENCH: Final = PreferenceWords(
    language="fr",
    title="Ce que vous recevez de nous",
    introduction="Choisissez ce que vous voulez recevoir, et comment. Expéditeur :",
    topics="Sujets",
    marketing="Offres et nouveautés",
    channels="Comment vous joindre",
    channels_hint="Un moyen que vous désactivez ne sert plus à rien, pas même aux messages sur vos commandes.",
    channel_names=reader_names("fr"),
    save="Enregistrer",
    saved="Enregistré. Cela vaut dès maintenant.",
    leave_title="Plus d’offres ?",
    leave="Se désabonner tout de suite",
    left="Vous êtes désabonné. Vous ne recevrez plus d’offres ni de nouveautés par ce moyen.",
)
LANGUAGES: Final = {words.language: words for words in (_ENGLISH, _GERMAN, _SPANISH, _FRENCH)}


def read_preferences(warehouse: Warehouse, token: MessageToken) -> Preferences:
    """Return the preferences of the person whom a message was for; a question never answered counts as a yes.

    Cost: one query that reads the latest 200 answers of one person, and as many that traits give; one for the address,
    and that of `addresses_of_message`.

    Raises:
        WarehouseError: ClickHouse does not answer.
    """
    parameters = {"site": token.site, "visitor_id": token.visitor_id}
    rows = warehouse.query(read_sql("collector", "permission_events"), parameters)
    said = preferences_after(((event, _properties(props)) for event, props in rows), token.channel)
    for key in addresses_of_message(warehouse, token):
        said = _restrained(said, token.channel, read_standing(warehouse, key))
    return said


def _restrained(said: Preferences, channel: str, standing: Standing) -> Preferences:
    """Return preferences with what was refused for the address itself, under whichever visitor."""
    channels = {**said.channels, channel: False} if standing.refused else said.channels
    return Preferences(said.marketing and not standing.left, channels)


def preferences_after(answers: Iterable[tuple[str, Mapping[str, Any]]], channel: str) -> Preferences:
    """Return the preferences that a person's answers amount to.

    Args:
        answers: names and properties of the events `consent`, `subscribe`, `unsubscribed` and `identify`, oldest first.
        channel: the channel that the message came by. Who left it is shown as not wanting offers and news.
    """
    latest = Answers()
    for event, properties in answers:
        if event == "identify" and isinstance(properties.get("traits"), dict):
            latest.take_traits(properties["traits"])
        latest.take(event, properties)
    wanted = latest.marketing is not False and channel not in latest.left
    return Preferences(wanted, {name: latest.channels.get(name, True) for name in CHANNELS})


def answer_of_form(chosen: Preferences, shown_off: Set[str], channel: str) -> dict[str, Any]:
    """Return the answer that saving the page gives: every no, and a yes where the page showed a no.

    A box that was ticked already and was left so is no answer: nobody has asked the reader.

    Args:
        chosen: the boxes as they were sent.
        shown_off: the boxes that the page showed without a tick, channels and `marketing`.
        channel: the channel that the message came by; who wants offers and news again is taken back to it.
    """
    channels = {name: allowed for name, allowed in chosen.channels.items() if not allowed or name in shown_off}
    comes_back = chosen.marketing and "marketing" in shown_off
    if comes_back and chosen.channels.get(channel):
        channels[channel] = True
    said: dict[str, Any] = {} if chosen.marketing and not comes_back else {"marketing": chosen.marketing}
    return {**said, "channels": channels} if channels else said


def choose_words(accept_language: str) -> PreferenceWords:
    """Return the page's texts in the language that a browser prefers among ours, else in English.

    Args:
        accept_language: the header, such as `de-CH, fr;q=0.8`.
    """
    preferred = sorted((_weighed(part) for part in accept_language[:200].split(",")), key=lambda pair: -pair[0])
    return next((LANGUAGES[name] for weight, name in preferred if weight > 0 and name in LANGUAGES), _ENGLISH)


def _properties(props: str) -> Mapping[str, Any]:
    return msgspec.json.decode(props, type=dict[str, Any]) if props else {}


def _weighed(part: str) -> tuple[float, str]:
    name, _, weight = part.partition(";q=")
    try:
        weighs = float(weight) if weight else 1.0
    except ValueError:
        weighs = 0.0
    return weighs, name.strip().lower().partition("-")[0]
