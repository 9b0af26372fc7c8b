-- The versions of rules that were ever loaded.
SELECT DISTINCT rule, version FROM rule_versions
