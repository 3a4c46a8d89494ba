"""What parameters mean, in which unit, and where their values lie."""

from fastapi import APIRouter

router = APIRouter(prefix="/parameter-types", tags=["parameter-types"])
