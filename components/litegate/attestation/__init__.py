"""Evidence for outsiders: signed statements about versions and ledgers, bills of materials; pure but for the key."""
