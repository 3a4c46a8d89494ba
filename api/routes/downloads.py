"""Files and archives of datasets, and signed links to them."""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.convertors import Convertor, register_url_convertor

from api.archives import plan_archive, to_folder_name
from api.delivery import HDF5_TYPE, PLAIN_TYPE, ZIP_TYPE, answer_archive, answer_file
from api.dependencies import NowDependency, ServicesDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import add_name, to_page_links, to_public_address
from api.questions import PageQuestion, Text
from api.routes.datasets import DatasetId
from api.schemas.downloads import FileLinkSchema, LinkPageSchema, LinksRequest
from api.signing import LinkInvalidError, SignedLink, Signer, verify_link
from ingest.catalogue import delivery
from ingest.catalogue.access import InvalidTokenError, get_viewer_of_id
from ingest.catalogue.link_keys import find_link_key, get_signing_key
from ingest.catalogue.opening import OpenedFile
from ingest.catalogue.visibility import ANONYMOUS, Viewer


class _NameConvertor(Convertor[str]):
    """The name of a file: all that is left of a path. Unlike Starlette's own for paths it may hold a line feed."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        """Return the name."""
        return value

    def to_string(self, value: str) -> str:
        """Return the name, which is percent-encoded already."""
        return value


register_url_convertor("name", _NameConvertor())

links_router = APIRouter(tags=["datasets"])
files_router = APIRouter(tags=["files"])

FileName = Annotated[
    Text,
    Path(
        description="`name` of a file in the dataset's list of files, percent-encoded, its slashes as they are.",
        examples=["scan0001/eiger_0000.h5"],
    ),
]
_ERRORS: Final = problems(401, 403, 404, 410, 412, 422, 503)
_NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "What you have is still so."}}


def _binary(meaning: str, *media_types: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}
    return {"description": meaning, "content": content} if content else {"description": meaning}


class LinkQuestion(BaseModel):
    """What a signed link adds to an address; all of it or nothing."""

    expires: str = Field(default="", description="Of a signed link: when it ends, in seconds since 1970.")
    subject: str = Field(default="", description="Of a signed link: the number of the token it was made with, or none.")
    key: str = Field(default="", description="Of a signed link: the number of the key that signed it.")
    signature: str = Field(default="", description="Of a signed link: the signature over all the rest.")


def get_reader(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    _documented: Annotated[LinkQuestion, Query()],
) -> Viewer:
    """Return who reads: by a signed link whom it was made for, else who asks.

    Raises LinkInvalidError for a link that was changed or whose token is worthless by now, LinkExpiredError.
    """
    link = SignedLink.from_query(request.query_params.multi_items())
    if link is None:
        return viewer
    key = find_link_key(session, link.key_id, now)
    if key is None:
        raise LinkInvalidError
    verify_link(link, key.secret, to_path_within(request), now)
    if link.token_id is None:
        return ANONYMOUS
    try:
        return get_viewer_of_id(session, link.token_id, now)
    except InvalidTokenError as error:
        raise LinkInvalidError from error


ReaderDependency = Annotated[Viewer, Depends(get_reader)]


@files_router.head(
    "/files/{dataset_id}/{name:name}",
    operation_id="head_file",
    summary="What a file is, without its content",
    response_class=Response,
    responses=_ERRORS | _NOT_MODIFIED | {200: _binary("The headers that the file would have.")},
)
@files_router.get(
    "/files/{dataset_id}/{name:name}",
    operation_id="get_file",
    summary="A file",
    response_class=Response,
    responses=_ERRORS
    | problems(416)
    | _NOT_MODIFIED
    | {
        200: _binary("The file.", HDF5_TYPE, PLAIN_TYPE),
        206: _binary("The parts that were asked for.", HDF5_TYPE, PLAIN_TYPE, "multipart/byteranges"),
    },
)
def get_file(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    reader: ReaderDependency,
    now: NowDependency,
    dataset_id: DatasetId,
    name: FileName,
) -> Response:
    """Send a file of a dataset, whole or in ranges, as it is on disk.

    The address stays as long as the dataset is known. Who may: everybody once the dataset is released, before that
    who carries a token or a signed link.
    """
    folder = delivery.get_folder(session, reader, now, dataset_id)
    stored = delivery.get_file(session, dataset_id, name)
    session.close()  # a download may take hours: its connection goes back before
    door = delivery.FileDoor(services.read_sessions, reader, now, services.withheld)
    return answer_file(request, reader, now, stored, door.open(folder.to_place(name)))


@files_router.head(
    "/archives/{dataset_id}.zip",
    operation_id="head_archive",
    summary="How long the archive of a dataset is",
    response_class=Response,
    responses=_ERRORS | _NOT_MODIFIED | {200: _binary("The headers that the archive would have.")},
)
@files_router.get(
    "/archives/{dataset_id}.zip",
    operation_id="get_archive",
    summary="All files of a dataset in one archive",
    response_class=Response,
    responses=_ERRORS | _NOT_MODIFIED | {200: _binary("The archive.", ZIP_TYPE)},
)
def get_archive(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    reader: ReaderDependency,
    now: NowDependency,
    dataset_id: DatasetId,
) -> Response:
    """Send all files of a dataset as a ZIP archive, stored without compression, its length told beforehand.

    It is made while it is sent; if a file changes meanwhile the connection ends before that length. It has no ranges:
    the files themselves have.
    """
    folder = delivery.get_folder(session, reader, now, dataset_id)
    door = delivery.FileDoor(services.read_sessions, reader, now, services.withheld)

    def open_file(name: str) -> OpenedFile:
        return door.open(folder.to_place(name))

    session.close()  # as above, and looking at 200,000 files takes long, too
    names = delivery.stream_present_names(services.read_sessions, dataset_id)
    archive = plan_archive(to_folder_name(folder.name, dataset_id), names, open_file)
    return answer_archive(request, reader, now, archive, open_file)


@links_router.post(
    "/datasets/{dataset_id}/links",
    operation_id="create_links",
    summary="Signed links to the files of a dataset",
    responses=problems(400, 401, 403, 404, 410, 422, 503),
)
def create_links(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    dataset_id: DatasetId,
    asked: Annotated[PageQuestion, Query()],
    wanted: LinksRequest | None = None,
) -> LinkPageSchema:
    """Make links to files that whoever has them may use until they expire, as long as you may open the files yourself.

    For the files that are named, or for all of them page by page. Everybody can make links to what is open; it needs
    none.
    """
    wanted = wanted or LinksRequest()
    delivery.get_folder(session, viewer, now, dataset_id)
    page = delivery.list_wanted_files(session, dataset_id, asked.to_request(), wanted.files)
    key = get_signing_key(session)
    expires_at = now.replace(microsecond=0) + timedelta(seconds=wanted.expires_in)
    signer = Signer(key.id, key.secret, viewer.token_id, expires_at)
    files = to_public_address(request, "get_file", dataset_id=dataset_id, name="")
    archive = to_public_address(request, "get_archive", dataset_id=dataset_id)
    return LinkPageSchema(
        items=[_to_link(signer, files, dataset_id, file) for file in page.items],
        next=page.next_cursor,
        links=to_page_links(request, page.next_cursor),
        expires_at=expires_at,
        archive=f"{archive}?{signer.sign_path(f'/archives/{dataset_id}.zip')}",
    )


def to_path_within(request: Request) -> str:
    """Return the path of the request, not percent-encoded, without what a proxy puts before it."""
    path: str = request.scope["path"]
    return path.removeprefix(request.scope.get("root_path", "").rstrip("/"))


def _to_link(signer: Signer, folder: str, dataset_id: int, file: delivery.StoredFile) -> FileLinkSchema:
    query = signer.sign_path(f"/files/{dataset_id}/{file.name}")
    return FileLinkSchema(
        name=file.name,
        file_size=file.file_size,
        checksum=file.checksum,
        address=f"{add_name(folder, file.name)}?{query}",
    )
