"""Real devices: what one is to run in a folder, a script that runs it there, and what it gave, checked and stored."""
