"""The database code of every process: engine, tables, repositories, migrations."""
