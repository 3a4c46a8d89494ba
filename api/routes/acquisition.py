"""The calls of ICAT+ by which BLISS asks, through pyicat-plus, whether its datasets arrived.

Paths and letters are ICAT+'s (https://icatplus.esrf.fr/api-docs), below `/icatplus`. Its key stands in the path: give
the acquisition a token with the scope `notify` as its key.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.dependencies import NowDependency, SessionDependency
from api.documentation import problems
from api.questions import Text
from api.schemas.acquisition import (
    IcatDataset,
    IcatInstrument,
    IcatInvestigation,
    IcatInvestigationKey,
    IcatParameter,
)
from ingest.catalogue import acquisition
from ingest.catalogue.access import Scope, check_scope, get_viewer_of_text
from ingest.catalogue.paging import LARGEST_KEY
from ingest.catalogue.views import ArrivedDataset, VisitView


def check_key(
    session: SessionDependency,
    now: NowDependency,
    api_key: Annotated[str, Path(description="A token with the scope notify.", max_length=200)],
) -> None:
    """Pass only who carries a token for notices; raises InvalidTokenError and MissingScopeError."""
    check_scope(get_viewer_of_text(session, api_key, now), Scope.NOTIFY)


router = APIRouter(prefix="/icatplus/dataacquisition/{api_key}", tags=["notices"], dependencies=[Depends(check_key)])

Skip = Annotated[int, Query(ge=0, le=LARGEST_KEY, description="How many to pass over.")]
Limit = Annotated[int, Query(ge=1, le=acquisition.MOST, description="How many at most.")]


@router.get(
    "/investigation",
    operation_id="find_icat_investigations",
    summary="ICAT+: the visits of a proposal at an instrument",
    responses=problems(401, 403, 422, 503),
    response_model_exclude_none=True,
)
def find_icat_investigations(
    session: SessionDependency,
    instrument_name: Annotated[
        Text, Query(alias="instrumentName", description="Name of the instrument.", examples=["id11"])
    ],
    investigation_name: Annotated[
        Text, Query(alias="investigationName", description="The proposal.", examples=["hc6001"])
    ],
    skip: Skip = 0,
    limit: Limit = acquisition.MOST,
) -> list[IcatInvestigation]:
    """Return the investigations of the proposal at the instrument, closed ones too."""
    found = acquisition.find_visits(session, instrument_name, investigation_name, offset=skip, limit=limit)
    return [_to_investigation(visit) for visit in found]


@router.get(
    "/dataset",
    operation_id="list_icat_datasets",
    summary="ICAT+: the datasets of a visit that arrived",
    responses=problems(401, 403, 404, 422, 503),
    response_model_exclude_none=True,
)
def list_icat_datasets(
    session: SessionDependency,
    investigation_id: Annotated[
        int,
        Query(alias="investigationId", ge=1, le=LARGEST_KEY, description="`id` of the investigation.", examples=[12]),
    ],
    skip: Skip = 0,
    limit: Limit = acquisition.MOST,
) -> list[IcatDataset]:
    """Return the datasets of the investigation that were read: what is not among them has not arrived."""
    found = acquisition.list_arrived(session, investigation_id, offset=skip, limit=limit)
    return [_to_dataset(dataset, investigation_id) for dataset in found]


def _to_investigation(visit: VisitView) -> IcatInvestigation:
    return IcatInvestigation(
        id=visit.id,
        name=visit.proposal,
        visit_id=visit.visit_id,
        title=visit.title,
        summary=visit.summary,
        doi=visit.doi,
        start_date=visit.start_date,
        end_date=visit.end_date,
        release_date=visit.release_date,
        instrument=IcatInstrument(id=visit.instrument_id, name=visit.instrument),
    )


def _to_dataset(dataset: ArrivedDataset, investigation_id: int) -> IcatDataset:
    return IcatDataset(
        id=dataset.id,
        name=dataset.name,
        location=dataset.location,
        start_date=dataset.start_date,
        end_date=dataset.end_date,
        investigation=IcatInvestigationKey(id=investigation_id),
        parameters=[IcatParameter(id=0, name="__fileCount", value=str(dataset.file_count))],
    )
