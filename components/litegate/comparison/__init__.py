"""A model's variants compared in one call: the pipeline up to the verdicts, and a folder with what it came to.

Nothing here needs a server; nothing is registered or promoted.
"""
