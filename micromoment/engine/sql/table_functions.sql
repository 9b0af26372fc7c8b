-- What may stand for a table and reads elsewhere: operators' statements name none of them.
SELECT lower(name) FROM system.table_functions
