"""What ESRF's own client says of a dataset is typed by ESRF's vocabulary: names, units, numbers."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ingest.catalogue.vocabulary import ValueType, load_vocabulary
from ingest.messages import to_told_dataset
from ingest.told import PLACES, ToldParameter, to_told_parameters

if TYPE_CHECKING:
    from icat_esrf_definitions.models import IcatDatasetParameters


def told_of(dataset: IcatDatasetParameters) -> dict[str, ToldParameter]:
    from pyicat_plus._icat_messaging.serializers.dataset import serialize_dataset_message  # noqa: PLC0415 (takes 3 s)

    message = serialize_dataset_message(metadata=dataset)
    return {each.wanted.name: each for each in to_told_parameters(to_told_dataset(message).parameters, {})}


@pytest.fixture(scope="module")
def said() -> tuple[dict[str, str], dict[str, ToldParameter]]:
    """Return a value of every field in ESRF's words, and what is made of the message that its client sends."""
    from icat_esrf_definitions.models.generate import generate_dataset  # noqa: PLC0415 (takes 1 s)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has the deprecated fields, too
        dataset = generate_dataset(1)
        dataset.folder_path = "/data/visitor/hc6001/id00/20261120/RAW_DATA/a/a_0001"
        dataset.input_datasets = ["/data/visitor/hc6001/id00/20261120/RAW_DATA/a/a_0000"]
        return dataset.to_icat_dict(), told_of(dataset)


def test_every_field_arrives_under_its_name_with_its_unit(
    said: tuple[dict[str, str], dict[str, ToldParameter]],
) -> None:
    values, told = said
    assert values.keys() - told.keys() - PLACES == set()
    known = load_vocabulary()
    assert all(each.wanted.unit == known[name].unit for name, each in told.items() if name in values)
    assert {name: each.columns["original_value"] for name, each in told.items() if name in values} == {
        name: value for name, value in values.items() if name not in PLACES
    }


def test_numbers_and_times_are_numbers_and_times(said: tuple[dict[str, str], dict[str, ToldParameter]]) -> None:
    values, told = said
    kept = {ValueType.NUMERIC: ("numeric_value", "range_bottom"), ValueType.DATE_AND_TIME: ("date_time_value",)}
    numbers = {name: each for name, each in told.items() if each.wanted.value_type is ValueType.NUMERIC}
    assert len(numbers) > 600
    lost = [name for name, each in numbers.items() if all(each.columns[one] is None for one in kept[ValueType.NUMERIC])]
    assert lost == []
    assert told["TOMOAcquisition_energy"].columns["numeric_value"] == float(values["TOMOAcquisition_energy"])
    assert told["TOMOAcquisition_energy"].wanted.unit == "keV"


def test_a_list_a_truth_value_and_a_time() -> None:
    parameters = {
        "InstrumentSlits_vertical_gap": "0.5 0.25",
        "InstrumentDetector01Rois_value": "10,20 30,40",
        "TOMOAcquisition_half_acquisition": "true",
        "actualStartDate": "2026-11-20T10:20:30+01:00",
        "SampleTrackingParcel_storage_condition": "-80",
    }
    told = {each.wanted.name: each for each in to_told_parameters(parameters, {})}
    assert told["InstrumentSlits_vertical_gap"].columns["values"] == [0.5, 0.25]
    assert told["InstrumentDetector01Rois_value"].columns["values"] == [10.0, 20.0, 30.0, 40.0]
    assert told["TOMOAcquisition_half_acquisition"].columns["string_value"] == "true"
    assert told["actualStartDate"].columns["date_time_value"] == datetime(2026, 11, 20, 9, 20, 30, tzinfo=UTC)
    cold = told["SampleTrackingParcel_storage_condition"]
    assert (cold.columns["numeric_value"], cold.wanted.unit) == (-80.0, "degC")
