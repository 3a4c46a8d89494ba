"""From a record to drafts: pure functions of a record and of rules, and the rules are data.

May touch its arguments. May not touch files, SQL, settings or the clock.
"""
