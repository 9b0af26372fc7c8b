"""The page by which whoever reads at an address says that it is theirs: its texts, in four languages."""

from __future__ import annotations

from typing import Final

import msgspec

from warehouse.address_ledger import Fact

#: The facts that confirming gives: also whoever left before, and asked again, is written to again.
FACTS: Final[tuple[Fact, ...]] = ("confirmed", "returned")
#: The source of these facts, and the event that they become.
SOURCE: Final = "confirmation"
EVENT: Final = "address_confirmed"


class ConfirmationWords(msgspec.Struct, frozen=True, kw_only=True):
    """The page's texts in one language; `question` stands before the shop's name."""

    language: str
    title: str
    question: str
    confirm: str
    otherwise: str
    confirmed: str


_ENGLISH: Final = ConfirmationWords(
    language="en",
    title="Is this your address?",
    question="Confirm that you want to hear from us at this address. Sender:",
    confirm="Yes, confirm",
    otherwise="If you did not ask for it, do nothing: you will get no offers and news here.",
    confirmed="Confirmed. Thank you.",
)
_GERMAN: Final = ConfirmationWords(
    language="de",
    title="Ist das Ihre Adresse?",
    question="Bestätigen Sie, dass Sie unter dieser Adresse von uns hören möchten. Absender:",
    confirm="Ja, bestätigen",
    otherwise="Wenn Sie nicht darum gebeten haben, tun Sie nichts: Sie bekommen hier keine Angebote und Neuigkeiten.",
    confirmed="Bestätigt. Vielen Dank.",
)
_SPANISH: Final = ConfirmationWords(
    language="es",
    title="¿Es esta su dirección?",
    question="Confirme que quiere recibir noticias nuestras en esta dirección. Remitente:",
    confirm="Sí, confirmar",
    otherwise="Si no lo ha pedido, no haga nada: no recibirá aquí ofertas ni novedades.",
    confirmed="Confirmado. Gracias.",
)
_FRENCH: Final = ConfirmationWords(
    language="fr",
    title="Est-ce votre adresse ?",
    question="Confirmez que vous souhaitez recevoir de nos nouvelles à cette adresse. Expéditeur :",
    confirm="Oui, confirmer",
    otherwise="Si vous ne l’avez pas demandé, ne faites rien : vous ne recevrez ici ni offres ni nouveautés.",
    confirmed="C’est confirmé. Merci.",
)
_LANGUAGES: Final = {words.language: words for words in (_ENGLISH, _GERMAN, _SPANISH, _FRENCH)}


def confirmation_words(language: str) -> ConfirmationWords:
    """Return the page's texts in a language, such as `de`; in English where there are none."""
    return _LANGUAGES.get(language, _ENGLISH)
