-- Functions that run programs; and those that begin with "ai", which ask a service elsewhere.
SELECT lower(name) FROM system.functions
WHERE origin NOT IN ('System', 'SQLUserDefined') OR (lower(name) LIKE 'ai%' AND NOT is_aggregate)
