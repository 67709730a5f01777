"""What an archivist does, in a real browser."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import IS_THERE, Browser, chromium
from containers.conftest import missing
from containers.stack import Stack
from selenium.webdriver.common.keys import Keys

_NEWEST = """query($k: String!) { runsOrError(filter: {tags: [{key: "dagster/partition", value: $k}]}, limit: 1) {
  ... on Runs { results { runId } } } }"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if not IS_THERE:
        missing("no chromium or chromedriver")
    with chromium(tmp_path) as opened:
        yield opened


def launch(browser: Browser, stack: Stack, key: str) -> str:
    """Start a run of one document by clicking; the run's id."""
    browser.open(f"{stack.url}/locations/documents/jobs/documents_job")
    browser.click("//button[contains(., 'Materialize all')]")
    browser.click("//*[text()='Select a partition or create one']")
    browser.write(key)
    browser.click(f"//*[text()='{key}']")
    browser.write(Keys.ESCAPE)
    browser.click("//button[contains(., 'Launch') and not(@disabled)]")
    end = time.monotonic() + 60
    while not (found := stack.ask(_NEWEST, k=key)["runsOrError"]["results"]):
        assert time.monotonic() < end, "the click started no run"
        time.sleep(0.3)
    return str(found[0]["runId"])


def test_a_run_is_started_with_clicks_and_seen_to_be_done(
    browser: Browser, stack: Stack, scan: Callable[[str, int], Path]
) -> None:
    run = launch(browser, stack, stack.upload(scan(f"clicked-{time.time_ns()}.pdf", 2)))
    browser.open(f"{stack.url}/runs/{run}")
    browser.find("//*[text()='Success']", 180)
    browser.find("//*[contains(text(), 'Materialized value document_exports')]")
    assert stack.status(run) == "SUCCESS"


def test_a_run_is_terminated_with_clicks_and_its_container_is_gone_within_a_minute(
    browser: Browser, stack: Stack, scan: Callable[[str, int], Path]
) -> None:
    run = launch(browser, stack, stack.upload(scan(f"terminated-{time.time_ns()}.pdf", 200)))
    browser.open(f"{stack.url}/runs/{run}")
    browser.find("//*[text()='Started']", 120)
    assert stack.running(run)
    browser.click("//button[contains(., 'Terminate')]")
    browser.click("//*[@role='dialog']//button[contains(., 'Terminate')]")
    clicked = time.monotonic()
    while stack.running(run):
        assert time.monotonic() - clicked < 60, "the container goes on"
        time.sleep(0.2)
    print(f"the container was gone {time.monotonic() - clicked:.1f} s after the click")
    browser.find("//*[text()='Canceled']", 60)
    assert stack.status(run) == "CANCELED"
