"""What the architecture test would say of each violation: planted in sources that exist in this file only."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.architecture import rules
from tests.architecture.sources import Sources

DOCSTRING = '"""Holds something."""\n'
#: Forty lines, so that a module is no thin one.
CODE = "".join(f"NAME_{number} = {number}\n" for number in range(40))


def planted(texts: dict[str, str]) -> Sources:
    """Sources with a docstring each, which is their first line."""
    return Sources({path: DOCSTRING + text for path, text in texts.items()})


@pytest.mark.parametrize(
    ("rule", "texts", "said"),
    [
        pytest.param(
            rules.between_packages,
            {"collector/intake/row.py": "from trigger_worker.store.feed import News\n"},
            "collector/intake/row.py:2: imports trigger_worker.store.feed: collector may import only warehouse",
            id="another package",
        ),
        pytest.param(
            rules.between_packages,
            {"warehouse/event.py": "import collector.errors\n"},
            "warehouse/event.py:2: imports collector.errors: warehouse may import only nothing of ours",
            id="a package above",
        ),
        pytest.param(
            rules.between_floors,
            {"trigger_worker/store/messages.py": "\n\nfrom trigger_worker.deciding.gate.facts import Sent\n"},
            "trigger_worker/store/messages.py:4: imports trigger_worker.deciding.gate.facts:"
            " trigger_worker.store (every statement and every insert) may import only metrics, rules",
            id="a wing above",
        ),
        pytest.param(
            rules.between_floors,
            {"trigger_worker/live/loop.py": "from trigger_worker.replay.explain import explain\n"},
            "trigger_worker/live/loop.py:2: imports trigger_worker.replay.explain:"
            " trigger_worker.live (what happens now, what would have happened, what is sent: three, side by side)"
            " may import only",
            id="a wing beside",
        ),
        pytest.param(
            rules.between_floors,
            {"trigger_worker/delivery/content/links.py": "from trigger_worker.delivery.channels.base import Channel\n"},
            "trigger_worker/delivery/content/links.py:2: imports trigger_worker.delivery.channels.base:"
            " trigger_worker.delivery.content",
            id="a folder above",
        ),
        pytest.param(
            rules.between_floors,
            {"trigger_worker/helpers.py": ""},
            "trigger_worker/helpers.py:1: trigger_worker.helpers stands in no wing",
            id="a new file in the root",
        ),
        pytest.param(
            rules.circles,
            {
                "trigger_worker/live/waits.py": "from trigger_worker.live import sweep\n",
                "trigger_worker/live/sweep.py": "from trigger_worker.live.candidates import Candidates\n",
                "trigger_worker/live/candidates.py": "from trigger_worker.live.waits import Waits\n",
            },
            "trigger_worker/live/waits.py:2: imports trigger_worker.live.sweep: closes a circle of modules:"
            " trigger_worker.live.waits imports trigger_worker.live.sweep imports trigger_worker.live.candidates"
            " imports trigger_worker.live.waits",
            id="a circle of modules",
        ),
        pytest.param(
            rules.circles,
            {
                "collector/banners/desk.py": "from collector.intake.body import Batch\n",
                "collector/intake/pipeline.py": "from collector.banners import unshown\n",
                "collector/intake/body.py": "",
                "collector/banners/unshown.py": "",
            },
            "collector/banners/desk.py:2: imports collector.intake.body: closes a circle of folders:"
            " collector.banners imports collector.intake imports collector.banners",
            id="a circle of folders",
        ),
        pytest.param(
            rules.foreign_statements,
            {
                "trigger_worker/store/feed.py": "PACKAGE = 'trigger_worker.store'\n",
                "trigger_worker/store/names.py": "from trigger_worker.store.feed import PACKAGE as STORE\n",
                "trigger_worker/reports/rule_states.py": (
                    "from trigger_worker.store.names import STORE\nfrom warehouse.queries import read_sql\n"
                    "SQL = read_sql(STORE, 'fires')\n"
                ),
            },
            "trigger_worker/reports/rule_states.py:4: reads statements of trigger_worker.store:"
            " only modules of that package may",
            id="another package's statements",
        ),
        pytest.param(
            rules.scattered_statements,
            {"trigger_worker/live/sweep.py": "def sweep(warehouse, ids):\n    warehouse.query(f'SELECT {ids}')\n"},
            "trigger_worker/live/sweep.py:3: holds SQL: only warehouse, trigger_worker.store",
            id="a statement in Python",
        ),
        pytest.param(
            rules.scattered_statements,
            {"trigger_worker/live/sweep.py": "def keep(warehouse):\n    warehouse.insert_lines('fires', b'', '')\n"},
            "trigger_worker/live/sweep.py:3: inserts rows: only warehouse, trigger_worker.store",
            id="an insert",
        ),
        pytest.param(
            rules.concrete_channels,
            {"trigger_worker/worker.py": "from trigger_worker.delivery.channels import email\n"},
            "trigger_worker/worker.py:2: imports trigger_worker.delivery.channels",
            id="a concrete channel as a module",
        ),
        pytest.param(
            rules.concrete_channels,
            {"micromoment/commands/rules.py": "from trigger_worker.delivery.channels.email import EmailChannel\n"},
            "micromoment/commands/rules.py:2: imports trigger_worker.delivery.channels.email:"
            " only micromoment.roles and trigger_worker.delivery.channels may import a concrete channel",
            id="a concrete channel outside roles",
        ),
        pytest.param(
            rules.shared_class_names,
            {
                "collector/banners/desk.py": "class Who: ...\n",
                "trigger_worker/store/feed.py": "class Who: ...\n",
            },
            "collector/banners/desk.py:2: class Who is also in trigger_worker/store/feed.py:2",
            id="a class name that occurs twice",
        ),
        pytest.param(
            rules.module_shape,
            {"trigger_worker/live/live.py": CODE},
            "trigger_worker/live/live.py:1: bears the name of its package trigger_worker.live",
            id="a module named like its package",
        ),
        pytest.param(
            rules.module_shape,
            {
                "trigger_worker/live/thin.py": "",
                "trigger_worker/live/loop.py": f"from trigger_worker.live import thin\n{CODE}",
            },
            "trigger_worker/live/thin.py:1: has 0 lines of code and one importer, trigger_worker.live.loop",
            id="a thin module",
        ),
        pytest.param(
            rules.module_shape,
            {"trigger_worker/live/loop.py": CODE * 8},
            "trigger_worker/live/loop.py:321: has more than 300 lines",
            id="a long module",
        ),
        pytest.param(
            rules.import_statements,
            {"trigger_worker/live/loop.py": "def work():\n    import time\n"},
            "trigger_worker/live/loop.py:3: imports inside a function",
            id="an import in a function",
        ),
        pytest.param(
            rules.import_statements,
            {"trigger_worker/live/loop.py": "from .sweep import Sweep\n"},
            "trigger_worker/live/loop.py:2: imports relative to itself",
            id="a relative import",
        ),
        pytest.param(
            rules.import_statements,
            {"trigger_worker/live/loop.py": "__all__ = ['Loop']\n"},
            "trigger_worker/live/loop.py:2: lists Loop, which it does not have",
            id="a name that is not there",
        ),
    ],
)
def test_a_violation_is_named_by_file_line_and_rule(
    rule: Callable[[Sources], list[str]], texts: dict[str, str], said: str
) -> None:
    (offence,) = rule(planted(texts))
    assert said in offence


def test_a_module_without_a_docstring_is_named() -> None:
    assert rules.module_shape(Sources({"warehouse/event.py": CODE})) == [
        "warehouse/event.py:1: has no docstring: a module says what it is for"
    ]


def test_what_the_walls_allow_is_no_offence() -> None:
    sources = planted(
        {
            "warehouse/event.py": CODE,
            "trigger_worker/rules/model.py": f"from trigger_worker.rules.language.syntax import Node\n{CODE}",
            "trigger_worker/store/feed.py": (
                "from warehouse import event\nfrom warehouse.queries import read_sql\n"
                f"PACKAGE = 'trigger_worker.store'\nSQL = read_sql(PACKAGE, 'news')\n{CODE}"
            ),
            "trigger_worker/delivery/loop.py": f"from trigger_worker.delivery.channels.base import Channel\n{CODE}",
            "micromoment/roles/channels.py": f"from trigger_worker.delivery.channels.email import EmailChannel\n{CODE}",
            "trigger_worker/worker.py": f"from trigger_worker.delivery import loop\n{CODE}",
        }
    )
    every = [
        *(rules.between_packages, rules.between_floors, rules.concrete_channels, rules.circles),
        *(rules.foreign_statements, rules.scattered_statements, rules.shared_class_names),
        *(rules.module_shape, rules.import_statements),
    ]
    assert [offence for rule in every for offence in rule(sources)] == []
