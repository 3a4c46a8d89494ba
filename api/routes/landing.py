"""What a DOI leads to: a page for people, metadata for programs."""

from fastapi import APIRouter

router = APIRouter(tags=["publications"])
