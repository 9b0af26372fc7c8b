"""The names that decide whether a statement may run: statements, functions, and tables of ClickHouse itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words that begin a query wherever one may stand.
QUERY_WORDS: Final = frozenset({"SELECT", "WITH", "FROM", "EXPLAIN"})
EXPLAINED: Final = frozenset({"AST", "SYNTAX", "QUERY", "TREE", "PLAN", "PIPELINE", "ESTIMATE"})
SHOWN: Final = _words("TABLES COLUMNS FIELDS INDEX INDEXES INDICES KEYS DATABASES FUNCTIONS")
#: Words that end the list of tables of a query.
CLAUSES: Final = _words(
    """
    WHERE PREWHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT OFFSET UNION INTERSECT EXCEPT SELECT
    """
)
#: Words that begin a statement which changes something, in any version of ClickHouse.
CHANGING: Final = _words(
    """
    INSERT UPDATE DELETE ALTER CREATE DROP UNDROP TRUNCATE RENAME EXCHANGE ATTACH DETACH OPTIMIZE GRANT REVOKE
    KILL SYSTEM SET USE BACKUP RESTORE MOVE CHECK WATCH EXECUTE PARALLEL CALL REPLACE COPY
    """
)
#: Functions whose arguments are separated by FROM.
TAKES_FROM: Final = frozenset({"extract", "trim", "ltrim", "rtrim", "substring", "substr", "overlay"})

#: Functions that stand for a table and read nothing but their own arguments, or one of our tables.
TABLE_FUNCTIONS: Final = frozenset(
    {"numbers", "numbers_mt", "zeros", "zeros_mt", "values", "view", "null", "format", "generaterandom"}
    | {"generateseries", "generate_series", "primes"}
)
#: Functions that read files, settings, dictionaries, tables by their name, or networks; or that only take time.
FUNCTIONS: Final = _words(
    """
    file sleep sleepeachrow getsetting getsettingordefault getserversetting getmergetreesetting getmacro
    getserverport getclienthttpheader getoskernelversion joinget joingetornull hascolumnintable catboostevaluate
    modelevaluate evalmlmethod reversednsquery logtrace generateserialid currentrequesturl currenthandler
    fuzzquery zookeepersessionuptime naivebayesclassifier naivebayesclassifierwithprob
    naivebayesclassifierwithallprobs addresstoline addresstolinewithinlines addresstosymbol demangle
    showcertificate filesystemavailable filesystemcapacity filesystemunreserved tcpport currentroles
    enabledroles defaultroles currentprofiles enabledprofiles defaultprofiles serveruuid globalvariable
    """
)
#: Beginnings of the names of such functions, of which each version has more.
FUNCTION_PREFIXES: Final = ("dictget", "dicthas", "dictis", "__")

#: Tables of the database `system` that tell of ClickHouse, and of no queries, users or secrets.
SYSTEM_TABLES: Final = _words(
    """
    asynchronous_metrics collations columns contributors data_type_families databases disks events formats
    functions licenses merges metrics mutations numbers numbers_mt one parts parts_columns projections
    table_engines tables time_zones zeros zeros_mt
    """
)


class Names(msgspec.Struct, frozen=True):
    """What a ClickHouse has, as far as statements of operators are concerned.

    Args:
        database: the database with our tables.
        others: the other databases, in small letters.
        called: functions that stand for a table, and are refused where they are called.
        mentioned: functions that are refused wherever their name stands: `* APPLY file` calls one, too.
    """

    database: str
    others: frozenset[str]
    called: frozenset[str]
    mentioned: frozenset[str]

    def refuses(self, name: str, *, is_called: bool) -> bool:
        """Tell whether a name, in small letters, is that of a function which operators may not call."""
        is_secretive = name in self.mentioned or name.startswith(FUNCTION_PREFIXES)
        return is_secretive or (is_called and name in self.called)

    def allows_table(self, parts: tuple[str, ...]) -> bool:
        """Tell whether a table may be read; a name without a database is one of our tables, or one of the statement."""
        match parts:
            case (_,):
                return True
            case (database, table):
                is_allowed = database == "system" and table in SYSTEM_TABLES
                return database == self.database or is_allowed
            case _:
                return False


def names_of(
    database: str, others: Iterable[str] = (), table_functions: Iterable[str] = (), foreign: Iterable[str] = ()
) -> Names:
    """Return the names of a ClickHouse.

    Args:
        database: the database with our tables.
        others: the other databases.
        table_functions: the functions that stand for a table.
        foreign: functions that run programs, or ask services.
    """
    elsewhere = frozenset(name.lower() for name in others) | {"system", "information_schema"}
    called = frozenset(name.lower() for name in table_functions) - TABLE_FUNCTIONS
    mentioned = FUNCTIONS | frozenset(name.lower() for name in foreign)
    return Names(database, elsewhere - {database.lower()}, called, mentioned)
