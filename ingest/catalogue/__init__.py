"""The shared room: the model, the search and the rules that the API and the pipeline both stand on.

The only part of `ingest` that `api` may import. No h5py, no celery (but for the nudge in `queue`), no fastapi.
"""
