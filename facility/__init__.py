"""The engines of a facility as real local servers, for the tests and for `make facility`: found, started, ended.

Each program runs under a guard (`guard.py`) that ends it and removes its folder when its owner ends, however that ends.
"""
