"""Experimental techniques."""

from fastapi import APIRouter

router = APIRouter(prefix="/techniques", tags=["techniques"])
