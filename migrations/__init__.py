"""The database's schema, step by step; `script.py.mako` carries the rules into every new step."""
