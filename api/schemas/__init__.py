"""What the API answers. Names are the catalogue's, times are ISO 8601 in UTC, each number's unit stands beside it."""
