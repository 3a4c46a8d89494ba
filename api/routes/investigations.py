"""Investigations: proposals and their visits."""

from fastapi import APIRouter

router = APIRouter(prefix="/investigations", tags=["investigations"])
