"""Sample masters: what the demonstration, the tests and the benchmarks read.

Each module writes what one kind of acquisition writes, down to classes, units, kinds of links and layout on disk.
Proposals, people and values are invented; the structure is real. `tree.write_samples` writes a small facility.
May touch h5py, numpy and the folder it is given; imports nothing else of ours, so that reader and samples cannot
share a mistake.
"""
