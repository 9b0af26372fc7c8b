SELECT name, name = currentDatabase() AS is_ours FROM system.databases
