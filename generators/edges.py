"""Makes `ingest/mapping/absorption_edges.tsv` of the library xraydb.

    python generators/edges.py > ingest/mapping/absorption_edges.tsv

Needs xraydb, which is no dependency of the project: it is large, and this is all that is wanted of it.
"""
# ruff: noqa: INP001 - a script

from __future__ import annotations

import sys

import xraydb

_EDGES = ("K", "L1", "L2", "L3")
_HEAVIEST = 92
_SOFTEST = 100
"""Electronvolts; what lies below is no business of x-rays."""


def main() -> None:
    """Write the table to standard output."""
    write = sys.stdout.write
    write("# X-ray absorption edges in eV: Elam, Ravel and Sieber, Radiat. Phys. Chem. 63 (2002) 121, as in xraydb\n")
    write("# (public domain). Made by generators/edges.py: do not edit.\n")
    write("# element, edge, energy\n")
    for number in range(1, _HEAVIEST + 1):
        symbol = xraydb.atomic_symbol(number)
        edges = xraydb.xray_edges(symbol)
        for name in _EDGES:
            if name in edges and edges[name].energy >= _SOFTEST:
                write(f"{symbol}\t{name}\t{edges[name].energy:g}\n")


if __name__ == "__main__":
    main()
