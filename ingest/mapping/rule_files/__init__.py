"""The rule files that we ship, as TOML. Nothing but data lives here."""
