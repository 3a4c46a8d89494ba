"""Instruments and beamlines."""

from fastapi import APIRouter

router = APIRouter(prefix="/instruments", tags=["instruments"])
