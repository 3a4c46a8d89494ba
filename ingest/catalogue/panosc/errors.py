"""What can be wrong with what is asked."""

from __future__ import annotations

from ingest.catalogue.errors import InvalidQueryError, NotFoundError


class InvalidFilterError(InvalidQueryError):
    """The filter cannot be understood, or asks for too much."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class UnknownRecordError(NotFoundError):
    """There is no record of that identifier, or it is not public."""

    def __init__(self, model: str, pid: str) -> None:
        super().__init__(model, pid)
