"""Records as people read them: numbers, tables and notices, the same wherever they are shown."""
