"""Masters by the packages that facilities write with; run as `python -m tests.mapping.writers NAME PATH`.

In a process of its own: these packages load plug-ins of HDF5, and what is read here must not need one.
"""

# ruff: noqa: PLC0415 - of these packages one is wanted, and each takes long to load
from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

POINTS = 11


def by_nexusformat(path: str) -> None:
    """Write a powder pattern as one does with the classes of nexusformat."""
    from nexusformat import nexus as nx

    entry = nx.NXentry(title="rotation of LaB6", experiment_identifier="GUP-77123")
    entry["start_time"], entry["end_time"] = "2024-05-06T07:08:09-05:00", "2024-05-06T07:18:09-05:00"
    entry["sample"] = nx.NXsample(chemical_formula="LaB6", temperature=nx.NXfield(295.0, units="K"))
    entry["sample/name"] = "LaB6 660c"
    entry["instrument"] = nx.NXinstrument(nx.NXmonochromator(energy=nx.NXfield(15.9, units="keV")))
    entry["instrument/name"] = "6-ID-D"
    entry["instrument/source"] = nx.NXsource(type="Synchrotron X-ray Source", probe="x-ray")
    entry["instrument/detector"] = nx.NXdetector(distance=nx.NXfield(650.0, units="mm"), description="Pilatus 2M")
    entry["user"] = nx.NXuser(role="principal_investigator", email="ada@example.org", telephone_number="+49 40 123456")
    entry["user/name"] = "Ada Berg"
    angles = nx.NXfield(np.linspace(0, 1, POINTS), name="two_theta", units="degree")
    entry["data"] = nx.NXdata(nx.NXfield(np.arange(float(POINTS)), name="counts"), angles)
    nx.NXroot(entry).save(path, "w")


def by_silx(path: str) -> None:
    """Write a dictionary, and a fit beside it."""
    from silx.io.dictdump import dicttonx
    from silx.io.nxdata import save_NXdata

    source = {"@NX_class": "NXsource", "name": "European Synchrotron Radiation Facility", "probe": "x-ray"}
    beam = {"@NX_class": "NXbeam", "incident_energy": 7.2, "incident_energy@units": "keV"}
    instrument = {"@NX_class": "NXinstrument", "name": "ESRF-ID21", "beam": beam, "source": source}
    instrument["name@short_name"] = "id21"
    scan = {"@NX_class": "NXentry", "title": "map of a leaf", "start_time": "2022-02-03T04:05:06.789+01:00"}
    sample = {"@NX_class": "NXsample", "name": "leaf 3"}
    dicttonx({"@default": "scan", "scan": scan | {"instrument": instrument, "sample": sample}}, path)
    fit = np.arange(6.0).reshape(2, 3)
    save_NXdata(path, nxentry_name="fit", nxdata_name="result", signal=fit, title="of the map", signal_name="Ca_K")


def by_nxtomo(path: str) -> None:
    """Write a tomography as ESRF's converters do."""
    import pint
    from nxtomo import NXtomo
    from nxtomo.nxobject.nxdetector import ImageKey

    units = pint.get_application_registry()
    scan = NXtomo()
    scan.title = "bone, half acquisition"
    scan.start_time, scan.end_time = datetime(2023, 1, 2, 3, 4, 5), datetime(2023, 1, 2, 3, 24, 5)  # noqa: DTZ001 - so it is used
    scan.instrument.name, scan.instrument.source.name = "BM05", "ESRF"
    scan.instrument.beam.incident_energy = 35.0 * units.keV
    detector = scan.instrument.detector
    detector.data = np.zeros((POINTS, 4, 4), "f4")
    detector.image_key_control = [ImageKey.DARK_FIELD, ImageKey.FLAT_FIELD, *[ImageKey.PROJECTION] * (POINTS - 2)]
    detector.x_pixel_size = detector.y_pixel_size = 6.5e-6 * units.meter
    detector.distance = 0.3 * units.meter
    detector.count_time = np.full(POINTS, 0.1) * units.second
    scan.sample.name = "bone 12"
    scan.sample.rotation_angle = np.linspace(0, 180, POINTS) * units.degree
    scan.save(file_path=path, data_path="entry0000", overwrite=True)


def by_pyfai(path: str) -> None:
    """Write what integration makes of two images."""
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator
    from pyFAI.io import HDF5Writer
    from pyFAI.worker import Worker

    integrator = AzimuthalIntegrator(dist=0.2, poni1=0.05, poni2=0.05, detector="Pilatus100k", wavelength=1e-10)
    shape = integrator.detector.shape
    worker = Worker(integrator, shapeOut=(1, 50), unit="q_nm^-1", shapeIn=shape)
    writer = HDF5Writer(path)
    writer.init(fai_cfg=worker.get_config(), lima_cfg={"number_of_frames": 2})
    for index in range(2):
        writer.write(worker.process(np.ones(shape, "f4"))[:, 1], index=index)
    writer.close()


def by_blisswriter(path: str) -> None:
    """Have BLISS's writer save a scan that stands in for one in Redis: its map of the file, and its streams."""
    from blissdata import ScanState
    from blisswriter import scan_writer

    streams = {
        "axis:samx": _to_stream("axis:samx", np.linspace(0, 1, POINTS)),
        "simct:diode": _to_stream("simct:diode", np.arange(POINTS, dtype="f8")),
        "timer:elapsed_time": _to_stream("timer:elapsed_time", np.arange(POINTS) * 0.1),
    }
    root = _to_map("NXroot", **{"1.1": _map_scan()})
    root["attributes"] |= {"publisher": "bliss", "creator": "blissdata"}

    class StandIn:
        key, state, info = "a-scan", ScanState.PREPARED, {"h5maps": {path: root}}

        def __init__(self) -> None:
            self.path, self.streams = path, streams

        def update(self) -> None:
            self.state = ScanState.CLOSED
            end = {"end_time": _to_field("2026-11-20T11:56:28.2+01:00"), "end_reason": _to_field("SUCCESS")}
            root["children"]["1.1"]["children"] |= end

    scan_writer.CursorGroup = _Cursor
    status = scan_writer.ScanWritingStatus()
    scan_writer.ScanWriter(StandIn(), status).run()
    if status.state is not scan_writer.ScanWritingState.COMPLETE:
        raise RuntimeError(status.state_msg)


def _map_scan() -> dict[str, Any]:
    instrument = _to_map(
        "NXinstrument",
        name=_to_field("ESRF-ID00", short_name="id00"),
        samx=_to_map("NXpositioner", value=_to_streamed("axis:samx", units="mm")),
        elapsed_time=_to_map("NXpositioner", value=_to_streamed("timer:elapsed_time", units="s")),
        diode=_to_map("NXdetector", data=_to_streamed("simct:diode"), type=_to_field("sampling_counter")),
        beam=_to_map("NXbeam", incident_energy=_to_field(15.2, units="keV")),
        source=_to_map("NXsource", name=_to_field("ESRF"), probe=_to_field("x-ray")),
    )
    measured = {"samx": "samx/value", "diode": "diode/data", "elapsed_time": "elapsed_time/value"}
    links = {name: {"type": "soft_link", "target_path": f"/1.1/instrument/{path}"} for name, path in measured.items()}
    return _to_map(
        "NXentry",
        title=_to_field("ascan samx 0 1 10 0.1"),
        start_time=_to_field("2026-11-20T11:56:26.1+01:00"),
        instrument=instrument,
        sample=_to_map("NXsample", name=_to_field("LaB6")),
        measurement=_to_map("NXcollection", **links),
        scan_parameters=_to_map("NXparameters", count_time=_to_field(0.1, units="s")),
    )


def _to_map(nx_class: str, **children: dict[str, Any]) -> dict[str, Any]:
    return {"type": "group", "attributes": {"NX_class": nx_class}, "children": children}


def _to_field(value: Any, **attributes: str) -> dict[str, Any]:
    return {"type": "dataset", "attributes": attributes, "value": value}


def _to_streamed(name: str, **attributes: str) -> dict[str, Any]:
    return _to_field({"type": "stream", "stream": name}, **attributes)


def _to_stream(stream_name: str, values: np.ndarray) -> Any:
    from blissdata.streams.default import Stream

    class StandIn(Stream):
        name, key, dtype, shape = stream_name, stream_name, values.dtype, values.shape[1:]
        data = values

        def __init__(self) -> None:
            pass

        def __hash__(self) -> int:
            return hash(stream_name)

    return StandIn()


class _Cursor:
    """Hands out all that the streams have, once."""

    def __init__(self, streams: Iterable[Any]) -> None:
        self._left = list(streams)

    def read(self, **_: Any) -> dict[Any, Any]:
        from blissdata.exceptions import EndOfStream

        if not self._left:
            raise EndOfStream
        views = {stream: _View(stream.data) for stream in self._left}
        self._left = []
        return views


class _View:
    def __init__(self, data: np.ndarray) -> None:
        self._data = data

    def get_data(self) -> np.ndarray:
        return self._data


WRITERS = {
    "nexusformat": by_nexusformat,
    "silx": by_silx,
    "nxtomo": by_nxtomo,
    "pyFAI": by_pyfai,
    "blisswriter": by_blisswriter,
}

if __name__ == "__main__":
    WRITERS[sys.argv[1]](sys.argv[2])
