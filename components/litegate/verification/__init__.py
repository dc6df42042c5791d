"""Whether a registered version is what was signed: a line for each check, and what is not shown is not verified."""
