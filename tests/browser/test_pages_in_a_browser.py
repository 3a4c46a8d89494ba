"""The pages in a real browser: searching, choosing, downloading, by mouse and by keyboard, and all from one place."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.demonstration import served_demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.demonstration import Demonstration

pytestmark = pytest.mark.needs("chromium")

WIDE, NARROW = 1280, 390
SEARCH, DATASET, LANDING = "search", "dataset", "landing"
PATIENCE_MS = 30_000
MOST_TABS = 80


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    with served_demonstration(tmp_path_factory.mktemp("browser")) as served:
        yield served


@pytest.fixture(scope="module")
def published(site: Demonstration) -> str:
    """Publish a tomogram, and return the path of its landing page."""
    said = (
        "--title",
        "A human tooth",
        "--licence",
        "CC-BY-4.0",
        "--creator",
        "Example, Ada; 0000-0002-1825-0097; ESRF",
    )
    dataset_id = str(site.find_id("human_tooth_0002_roi"))
    told = site.catalogue.run("publish", dataset_id, *said, "--json", DOI_PREFIX="10.12345")
    return f"/doi/{json.loads(told)['doi']}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # The sandbox does not start as root. What is shown is our own.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def width() -> int:
    return WIDE


@pytest.fixture
def scheme() -> str:
    return "light"


@pytest.fixture
def page(browser: Browser, site: Demonstration, width: int, scheme: str) -> Iterator[Page]:
    """Yield an empty page. All that it asked for lies within the service, and nothing of it was refused."""
    size = {"width": width, "height": 900}
    context = browser.new_context(base_url=site.address, viewport=size, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    assert asked
    assert [address for address in asked if not address.startswith(f"{site.address}/")] == []
    assert complaints == []


@pytest.fixture(scope="module")
def paths(site: Demonstration, published: str) -> dict[str, str]:
    return {
        SEARCH: "/?q=id22",
        DATASET: f"/datasets/{site.find_id('Fe2O3_0004_crash')}?scan=1.1",
        LANDING: published,
    }


def find_total(page: Page) -> str:
    return page.locator("#total").inner_text()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until that element has the focus, which must be seen."""
    wanted = page.locator(selector)
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            assert wanted.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
            return
    pytest.fail(f"{selector} is not reached by Tab")


def test_one_finds_chooses_and_downloads(page: Page, site: Demonstration) -> None:
    page.goto("/")
    page.fill("#q", "tooth or amber")
    page.click("button")
    assert find_total(page) == "3 datasets"
    page.click(".filters a:has-text('wasp_in_amber')")
    assert find_total(page) == "1 dataset"
    page.click("text=wasp_in_amber_0001_fullfield")
    assert page.locator("h1").inner_text() == "wasp_in_amber_0001_fullfield"
    with page.expect_download() as waiting:
        page.click("text=wasp_in_amber_0001_fullfield.h5")
    name = waiting.value.suggested_filename
    assert name == "wasp_in_amber_0001_fullfield.h5"
    assert waiting.value.path().read_bytes() == site.find_sample(name).read_bytes()


def test_one_comes_from_a_dataset_to_its_landing_page_and_to_its_metadata(
    page: Page, site: Demonstration, published: str
) -> None:
    page.goto(f"/datasets/{site.find_id('human_tooth_0002_roi')}")
    page.click(f"a[href='{published}']")
    assert page.locator("h1").inner_text() == "A human tooth"
    assert page.locator("#files").inner_text() == "9 files, 448 kB"
    assert not page.locator("pre").is_visible()
    page.click("summary:has-text('BibTeX')")
    assert "@misc{" in page.locator("pre").inner_text()
    page.click("a:has-text('DataCite')")
    assert json.loads(page.locator("pre").inner_text())["titles"] == [{"title": "A human tooth"}]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_keyboard_alone_is_enough(page: Page, width: int) -> None:
    page.goto("/")
    tab_to(page, "#q")
    page.keyboard.type("tooth or amber")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=tooth+or+amber")
    if width == NARROW:
        assert not page.locator(".filters a >> nth=0").is_visible()
        tab_to(page, ".filters summary")
        page.keyboard.press("Enter")
    tab_to(page, ".filters a:has-text('human_tooth')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=tooth+or+amber&sample=human_tooth")
    assert find_total(page) == "2 datasets"
    tab_to(page, ".chosen a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=tooth+or+amber")
    assert find_total(page) == "3 datasets"


def test_first_tab_leads_past_the_head(page: Page) -> None:
    page.goto("/")
    tab_to(page, ".skip")
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    tab_to(page, "#q")


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
@pytest.mark.parametrize("shown", [SEARCH, DATASET, LANDING])
def test_nothing_hinders_anybody(page: Page, paths: dict[str, str], shown: str, width: int) -> None:
    page.goto(paths[shown])
    for folded in page.locator("summary:visible").all():
        folded.click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert {each["id"]: [node["html"] for node in each["nodes"]] for each in found} == {}
