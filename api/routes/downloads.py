"""Files and archives of datasets, and signed links to them."""

from fastapi import APIRouter

links_router = APIRouter(tags=["datasets"])
files_router = APIRouter(tags=["files"])
