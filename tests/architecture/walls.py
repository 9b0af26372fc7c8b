"""The walls of the house as tables: who may import whom, where statements stand, and what was agreed otherwise.

`docs/architecture.md` says why in full. A new wing is a line here; so is an exception, with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: What each package may import of ours.
PACKAGES: Final[dict[str, frozenset[str]]] = {
    "warehouse": frozenset(),
    "sdk_js": frozenset(),
    "demo_store": frozenset(),
    "collector": frozenset({"warehouse"}),
    "trigger_worker": frozenset({"warehouse"}),
    "console": frozenset({"warehouse", "trigger_worker"}),
    "micromoment": frozenset({"warehouse", "collector", "trigger_worker", "console", "demo_store", "sdk_js"}),
}
#: A separate product: the shop that carries the snippet. Its classes may bear the names of ours.
SEPARATE_PRODUCTS: Final = frozenset({"demo_store"})


@dataclass(frozen=True)
class Floor:
    """Modules and folders that stand side by side: none imports another, unless `together`.

    Args:
        names: of modules and folders, relative to the folder whose floor it is.
        why: what they are, and why nothing below may know them.
        together: they are one idea, and may import each other in any order that is no circle.
    """

    names: frozenset[str]
    why: str
    together: bool = False


def _floor(names: str, why: str, *, together: bool = False) -> Floor:
    return Floor(frozenset(names.split()), why, together)


#: The floors of each folder, the highest first. Whatever lies in such a folder stands on one of them.
FLOORS: Final[dict[str, tuple[Floor, ...]]] = {
    "trigger_worker": (
        _floor("worker reports", "start the loops, or show what came of them: only roles, commands and console ask"),
        _floor("live replay delivery", "what happens now, what would have happened, what is sent: three, side by side"),
        _floor("prediction", "turns what people did into features that rules may name"),
        _floor("deciding", "says whether a message may go, to whom, and which arm of an experiment it is"),
        _floor("people", "keeps who is here, in memory"),
        _floor("store", "every statement and every insert"),
        _floor("rules", "what is meant: pure, without clock or I/O"),
        _floor("metrics", "counts; knows nothing of what it counts"),
    ),
    "trigger_worker.delivery": (
        _floor("loop dispatcher renderer attempts ledger grouped_writes", "one attempt", together=True),
        _floor("channels offers", "ways out, and what is offered on them: neither knows the other"),
        _floor("content", "turns a template and facts into a message; knows no channel"),
    ),
    "trigger_worker.deciding": (
        _floor("decider rule_verdicts", "ask all others, in order", together=True),
        _floor("gate", "pure checks in a fixed order, one of which is the holdout"),
        _floor("experiment", "who gets which arm or none, and what came of it"),
        _floor("sequence", "which messages of a firing wait, and by which version of the rule"),
        _floor("recipient", "who a person is to a message: profile, consent, addresses"),
    ),
    "trigger_worker.rules": (
        _floor("library", "ready rules: files that are read like anybody's"),
        _floor("files evaluate", "where rules come from, and what they mean: neither knows the other"),
        _floor("model", "a rule as a value"),
        _floor("language", "grammar, tree and types"),
    ),
    "collector": (
        _floor("app", "puts routes together"),
        _floor("routes", "one address each"),
        _floor("parts", "what the routes share"),
        _floor("ingest feedback", "a batch's way to the journal, and what comes back about messages: side by side"),
        _floor("platforms", "what shop systems prove and tell, as messages that intake takes"),
        _floor("intake banners", "the stages: none knows another"),
        _floor("admission errors metrics sites rate", "what every stage may use", together=True),
    ),
    "micromoment": (
        _floor("__main__", "lists the commands"),
        _floor("commands", "one command each"),
        _floor("catalogue", "reads feeds of products, as `history` reads files"),
        _floor("history starter", "what `import` and `init` do"),
        _floor("roles", "wire the packages together"),
        _floor("operations", "what operators ask of a running process"),
        _floor("privacy", "erases and exports a person"),
        _floor("engine mailbox terminal", "serve and word what roles and commands need: side by side"),
        _floor("serving configuration", "settings, and how a server is run"),
        _floor("sql_guard", "says whether a statement of an operator only reads"),
    ),
}

#: A concrete channel is known to who wires it up, and to its neighbours.
CHANNELS: Final = "trigger_worker.delivery.channels"
CHANNEL_CONTRACT: Final = f"{CHANNELS}.base"
MAY_IMPORT_CHANNELS: Final = ("micromoment.roles", CHANNELS)

#: Who may hold SQL, read statements and insert rows; a module or everything below a package.
STATEMENT_HOLDERS: Final = {
    "warehouse": "the schema, and how ClickHouse is asked",
    "trigger_worker.store": "every statement of the worker",
    "collector.banners": "asks for banners that no page has had, by collector/sql",
    "collector.feedback": "asks whose a message is and what its person allows, by collector/sql",
    "collector.platforms": "asks whose an order is, by collector/sql",
    "console.sql": "the console's pages",
    "micromoment.catalogue": "stores the products of a feed, and asks which are gone",
    "micromoment.history": "imports a file of events, and asks which are there",
    "micromoment.engine": "passes on what others ask of the engine it holds",
}

#: Class names that may occur twice, with the reason.
SHARED_CLASS_NAMES: Final[dict[str, str]] = {}

MOST_LINES: Final = 300
#: A docstring that says this word also says why the module is longer.
REASON_FOR_LENGTH: Final = "300 lines"
FEWEST_LINES: Final = 40
#: Modules under 40 lines with one importer that stay as they are, with the reason; `*` ends a prefix.
THIN_MODULES: Final[dict[str, str]] = {
    "trigger_worker.delivery.channels.*": "a channel is a file, however little it has to say",
    "collector.routes.*": "an address is a file",
    "micromoment.configuration.*": "each kind of what an installation is set up with, by itself",
    "micromoment.terminal.*": "what commands print, each kind by itself",
    "collector.platforms.order_visitor": "the one statement of the wing, apart from what is pure",
    "collector.intake.standing": "the policy of who is believed is one pure table, apart from how ids are read",
    "trigger_worker.delivery.content.html_attributes": "the rules of HTML, whatever document they are for",
    "trigger_worker.reports.*": "a report is a file, for a command and a page of the console",
}
