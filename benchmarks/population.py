"""A large facility's catalogue as rows of the database, statistically as one finds it; no file is read for it.

47 instruments of unequal use, a visit of some 400 datasets at one of them, one to three techniques to an instrument,
samples with formulas, ten years of which the last are closed. Each dataset has one scan and 30 parameters:
six that nearly all have, the others out of what its instrument writes. Names and units are those of the vocabulary. One
number in ten is a range that a scan ran through, and one in thirty a short list.
"""

from __future__ import annotations

import itertools
import random
from bisect import bisect
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ingest.catalogue.model import (
    Dataset,
    DatasetInstrument,
    DatasetParameter,
    DatasetTechnique,
    Facility,
    Instrument,
    Investigation,
    MasterFile,
    MasterState,
    ParameterType,
    Root,
    Sample,
    SampleType,
    Scan,
    Technique,
)
from ingest.catalogue.technique_terms import find_technique
from ingest.catalogue.vocabulary import ValueType, load_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from ingest.catalogue.model import Base

INSTRUMENTS = 47
PARAMETERS = 30
VISIT = 400
OF_INSTRUMENT = 60
BATCH = 5000
START = datetime(2016, 1, 1, tzinfo=UTC)
DAYS = 3900
EMBARGO = timedelta(days=3 * 365)
COMMON = {
    "InstrumentBeam_incident_energy": (12.4, 0.6),
    "InstrumentBeam_incident_wavelength": (1.0, 0.6),
    "Scan_exposure_time": (0.1, 1.5),
    "InstrumentSource_current": (150.0, 0.3),
    "Sample_temperature": (260.0, 0.5),
    "InstrumentDetector01_distance": (1.5, 1.0),
}
"""Median and spread of the logarithm of what nearly every dataset has."""
TECHNIQUES = (
    "small angle x-ray scattering",
    "wide angle x-ray scattering",
    "x-ray powder diffraction",
    "macromolecular crystallography",
    "x-ray absorption spectroscopy",
    "x-ray fluorescence",
    "x-ray tomography",
    "ptychography",
    "inelastic x-ray scattering",
    "neutron powder diffraction",
)
MATERIALS = (
    ("hematite", "Fe2O3"),
    ("magnetite", "Fe3O4"),
    ("ceria", "CeO2"),
    ("lanthanum hexaboride", "LaB6"),
    ("silicon", "Si"),
    ("cathode", "LiNi0.8Mn0.1Co0.1O2"),
    ("olivine", "Mg2SiO4"),
    ("perovskite", "CsPbBr3"),
    ("zeolite", "Na12Al12Si12O48"),
    ("gold foil", "Au"),
    ("titanate", "BaTiO3"),
    ("silver behenate", "AgC22H43O2"),
    ("lysozyme", None),
    ("thaumatin", None),
    ("human tooth", None),
    ("wasp in amber", None),
)
ACTIONS = ("ascan", "dscan", "loopscan", "mapping", "fasttomo", "timescan", "mesh", "alignment", "operando", "heating")
MOTORS = ("mono", "samy", "samz", "eiger_x", "rotation", "delta", "theta", "energy", "attenuator", "slit_h")
DETECTORS = ("eiger", "pilatus", "pcoedge", "frelon", "mca")
TEXTS = ("open", "closed", "uniform", "7/8 multibunch", "16 bunch", "Si 111", "Si 311", "capillary", "air", "nitrogen")


class Population:
    """The same catalogue for the same seed; datasets are numbered from 1."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.chance = random.Random(1)  # noqa: S311 (no secret)
        known = [each for each in load_vocabulary().values() if each.is_esrf and each.name not in COMMON]
        numeric = [each for each in known if each.value_type is ValueType.NUMERIC]
        texts = [each for each in known if each.value_type is ValueType.STRING]
        self.types = [load_vocabulary()[name] for name in COMMON] + numeric + texts
        self.is_numeric = [each.value_type is ValueType.NUMERIC for each in self.types]
        others = range(len(COMMON), len(self.types))
        self.of_instrument = [self.chance.sample(others, OF_INSTRUMENT) for _ in range(INSTRUMENTS)]
        # As of words in a text: the second is used half as often as the first, and so on.
        self.uses = list(itertools.accumulate(1 / rank for rank in range(1, INSTRUMENTS + 1)))

    def write_context(self, connection: Connection) -> None:
        """Write what all datasets share."""
        rows: dict[type[Base], list[dict[str, Any]]] = {
            Facility: [{"id": 1, "name": "ESRF"}],
            Root: [{"id": 1, "path": "/data", "facility_id": 1}],
            Instrument: [{"id": n + 1, "facility_id": 1, "name": f"id{n + 1:02}"} for n in range(INSTRUMENTS)],
            Technique: [
                {"id": number, "name": name, "pid": term.pid if (term := find_technique(name)) else None}
                for number, name in enumerate(TECHNIQUES, 1)
            ],
            ParameterType: [
                {"id": number, "facility_id": 1, "name": each.name, "units": each.unit, "value_type": each.value_type}
                for number, each in enumerate(self.types, 1)
            ],
            SampleType: [
                {"id": number, "name": name, "molecular_formula": formula}
                for number, (name, formula) in enumerate(MATERIALS, 1)
            ],
        }
        for entity, written in rows.items():
            connection.execute(entity.__table__.insert(), written)  # type: ignore[attr-defined]

    def write(self, connection: Connection) -> Iterator[int]:
        """Write all datasets, and yield how many are written after each part, for whoever commits."""
        self.write_context(connection)
        for first in range(0, self.count, BATCH):
            numbers = range(first + 1, min(first + BATCH, self.count) + 1)
            self._write_visits(connection, numbers)
            self._write_datasets(connection, numbers)
            yield numbers[-1]

    def _write_visits(self, connection: Connection, numbers: range) -> None:
        visits = [number // VISIT for number in numbers if number % VISIT == 0 or number == 1]
        investigations, samples = [], []
        for visit in visits:
            proposal, day = f"hc{visit:05}", START + timedelta(days=DAYS * visit * VISIT / self.count)
            investigations.append(
                {"id": visit + 1, "facility_id": 1, "name": proposal, "visit_id": f"{day:%Y%m%d}"}
                | {"title": f"A study of {MATERIALS[visit % len(MATERIALS)][0]}"}
            )
            for number, material in enumerate(self.chance.sample(range(len(MATERIALS)), 4)):
                name = f"{MATERIALS[material][0]} {visit:05}-{number}"
                samples.append(
                    {"id": visit * 4 + number + 1, "facility_id": 1, "proposal": proposal}
                    | {"name": name, "type_id": material + 1}
                )
        if visits:
            connection.execute(Investigation.__table__.insert(), investigations)  # type: ignore[attr-defined]
            connection.execute(Sample.__table__.insert(), samples)  # type: ignore[attr-defined]

    def _write_datasets(self, connection: Connection, numbers: range) -> None:
        rows: dict[type[Base], list[dict[str, Any]]] = {
            entity: [] for entity in (MasterFile, Dataset, Scan, DatasetInstrument, DatasetTechnique, DatasetParameter)
        }
        for number in numbers:
            self._add_dataset(rows, number)
        for entity, written in rows.items():
            connection.execute(entity.__table__.insert(), written)  # type: ignore[attr-defined]

    def _add_dataset(self, rows: dict[type[Base], list[dict[str, Any]]], number: int) -> None:
        visit, chance = number // VISIT, random.Random(number)  # noqa: S311 (no secret)
        instrument = bisect(self.uses, random.Random(-visit - 1).random() * self.uses[-1])  # noqa: S311
        start = START + timedelta(days=DAYS * number / self.count, seconds=number % 86400)
        sample, motor = visit * 4 + chance.randrange(4) + 1, chance.choice(MOTORS)
        title = f"{chance.choice(ACTIONS)} {motor} {chance.randrange(90)} {chance.randrange(90, 360)} {number % 500}"
        rows[MasterFile].append(
            {"id": number, "root_id": 1, "path": f"/data/{number}.h5", "state": MasterState.INGESTED}
            | {"seen_at": start, "file_size": 10, "mtime_ns": 1}
        )
        rows[Dataset].append(
            {"id": number, "investigation_id": visit + 1, "master_file_id": number, "sample_id": sample}
            | {"name": f"{MATERIALS[sample % len(MATERIALS)][0].replace(' ', '_')}_{number:07}", "location": "/data"}
            | {"is_complete": True, "start_date": start, "end_date": start + timedelta(minutes=chance.randrange(1, 90))}
            | {"release_date": start + EMBARGO, "rules": "esrf-bliss", "rules_version": "1"}
            | {"content_digest": f"{number:064}", "listing_digest": f"{number:064}", "file_count": 387}
        )
        rows[Scan].append(
            {"id": number, "dataset_id": number, "ordinal": 0, "entry_name": "/1.1", "title": title, "command": title}
            | {"is_ended": True, "probe": "x-ray", "sample_id": sample, "start_date": start}
            | {"detectors": [{"name": chance.choice(DETECTORS), "path": "", "label": None}]}
            | {"motors": [{"name": motor, "is_moved": True}], "counters": [{"name": "mon"}, {"name": "elapsed_time"}]}
        )
        rows[DatasetInstrument].append({"dataset_id": number, "instrument_id": instrument + 1})
        technique = (instrument * 3 + chance.randrange(1 + instrument % 3)) % len(TECHNIQUES)
        rows[DatasetTechnique].append({"dataset_id": number, "technique_id": technique + 1, "origin": "inferred"})
        rows[DatasetParameter].extend(self._to_parameters(number, instrument, chance))

    def _to_parameters(self, number: int, instrument: int, chance: random.Random) -> Iterator[dict[str, Any]]:
        rare = chance.sample(self.of_instrument[instrument], PARAMETERS - len(COMMON))
        for position in itertools.chain(range(len(COMMON)), rare):
            common = {"dataset_id": number, "scan_id": None, "type_id": position + 1, "origin": "read"}
            empty = {"numeric_value": None, "range_bottom": None, "range_top": None, "values": None}
            if not self.is_numeric[position]:
                yield (
                    common | empty | {"string_value": chance.choice(TEXTS), "source_path": "/1.1/instrument/part/type"}
                )
                continue
            median, spread = COMMON.get(self.types[position].name, (float(10 ** (position % 5 - 2)), 1.0))
            value = round(median * chance.lognormvariate(0, spread), 6)
            kind, form = chance.random(), dict[str, Any]()
            if kind < 1 / 10:
                form = {"range_bottom": value, "range_top": value * 1.05}
            elif kind < 1 / 10 + 1 / 30:
                values = [value, value * 1.1, value * 1.2]
                form = {"range_bottom": values[0], "range_top": values[-1], "values": values}
            else:
                form = {"numeric_value": value}
            yield common | empty | form | {"string_value": None, "source_path": "/1.1/instrument/part/value"}
