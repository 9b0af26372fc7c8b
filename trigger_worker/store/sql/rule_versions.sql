-- The text of versions of rules.
SELECT rule, version, any(source)
FROM rule_versions
WHERE rule IN {rules:Array(String)} AND version IN {versions:Array(String)}
GROUP BY rule, version
