"""PaNOSC's search API: its models over the catalogue's tables, for everybody, and its filters as SQL conditions."""
