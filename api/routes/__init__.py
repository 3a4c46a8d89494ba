"""One module for each resource. A route calls one or two functions of the shared room and makes a schema of it."""
