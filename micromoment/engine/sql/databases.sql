-- Every database, and whether it is ours.
SELECT name, name = currentDatabase() AS is_ours FROM system.databases
