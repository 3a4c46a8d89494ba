"""The HTTP service: routes over the shared room's functions. No h5py, no celery, no SQL, no rule of who sees what.

`app.create_app` makes it; what it needs is opened in its lifespan and reaches the routes through `dependencies`.
"""
