"""The currencies of ISO 4217, and what people write instead of their codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_CODES: Final = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG
    HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
    SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
    UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL
"""
#: The codes that are in use, funds and metals left out.
CURRENCIES: Final = frozenset(_CODES.split())
#: Signs and words that stand for one currency, in upper case.
_SIGNS: Final[Mapping[str, str]] = {
    "€": "EUR", "EURO": "EUR", "EUROS": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₴": "UAH",
    "₪": "ILS", "₫": "VND", "₦": "NGN", "฿": "THB", "₱": "PHP", "₸": "KZT", "₡": "CRC", "₲": "PYG", "₵": "GHS",
    "₼": "AZN", "₾": "GEL", "ZŁ": "PLN", "KČ": "CZK", "FT": "HUF", "R$": "BRL", "US$": "USD", "A$": "AUD", "AU$": "AUD",
    "C$": "CAD", "CA$": "CAD", "HK$": "HKD", "NZ$": "NZD", "S$": "SGD", "NT$": "TWD", "MX$": "MXN", "RMB": "CNY",
    "CN¥": "CNY", "JP¥": "JPY", "元": "CNY", "円": "JPY", "ЛВ": "BGN", "LEI": "RON", "₣": "CHF", "SFR": "CHF",
}  # fmt: skip
#: Signs of several currencies: a site with one of them means its own.
_SHARED_SIGNS: Final[Mapping[str, frozenset[str]]] = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU"}),
    "¥": frozenset({"JPY", "CNY"}),
    "￥": frozenset({"JPY", "CNY"}),
    "KR": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "KR.": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "RS": frozenset({"INR", "PKR", "LKR", "NPR", "MUR"}),
    "RS.": frozenset({"INR", "PKR", "LKR", "NPR", "MUR"}),
}


def currency_code(text: str, home: str = "") -> str:
    """Return the code of a currency in any case, or of a sign that can mean one currency only; '' for anything else.

    Args:
        text: what was written, such as `eur`, `€`, `US$`.
        home: the site's currency, which a sign of several currencies stands for if it is one of them.
    """
    word = text.strip().upper()
    if word in CURRENCIES:
        return word
    if word in _SHARED_SIGNS:
        return home if home in _SHARED_SIGNS[word] else ""
    return _SIGNS.get(word, "")
