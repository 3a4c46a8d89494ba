"""The HDF5 room: opens master files, returns plain values.

May touch an open file and numpy scalars. May not touch payload arrays, SQL, the network, settings or the clock.
"""
