"""Warm parents: a process for each Python environment that has loaded the libraries of its steps and run nothing.

A step is then a fork of it, which needs no start of an interpreter and no import, and confines itself as any other
process of a step does. A parent holds no secret: it is started with no variable but those that matter at the start
of a process (`inherited`), and what a step gets beside them is read after the fork (`task`). It ends with its keeper
(`keeping`), and when it finds that what it has loaded has changed on the disk (`loaded`).
"""
