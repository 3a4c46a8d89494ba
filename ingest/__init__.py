"""From a finished master file to a catalogued, indexed dataset."""
