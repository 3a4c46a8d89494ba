"""For the operator: what waits, what failed and why, and having it tried again."""

from fastapi import APIRouter

router = APIRouter(tags=["operations"])
