"""What an archivist does, in a real browser."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from containers.conftest import missing
from containers.stack import Stack
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1200",
)
_NEWEST = """query($k: String!) { runsOrError(filter: {tags: [{key: "dagster/partition", value: $k}]}, limit: 1) {
  ... on Runs { results { runId } } } }"""


class Browser:
    """Chromium on one page of Dagster's UI; a thing that is not there within its time fails with a picture."""

    def __init__(self, driver: webdriver.Chrome, pictures: Path) -> None:
        self._driver = driver
        self._pictures = pictures

    def open(self, address: str) -> None:
        self._driver.get(address)

    def find(self, xpath: str, seconds: float = 40) -> WebElement:
        try:
            wait = WebDriverWait(self._driver, seconds, ignored_exceptions=[WebDriverException])
            return wait.until(expected_conditions.element_to_be_clickable((By.XPATH, xpath)))
        except WebDriverException as error:
            picture = self._pictures / "failed.png"
            self._driver.save_screenshot(str(picture))
            raise AssertionError(f"nothing like {xpath} in {self._driver.current_url}: {picture}") from error

    def click(self, xpath: str) -> None:
        self.find(xpath).click()

    def write(self, text: str) -> None:
        self._driver.switch_to.active_element.send_keys(text)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if not (shutil.which(CHROMIUM) and shutil.which(DRIVER)):
        missing("no chromium or chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(DRIVER, log_output=os.devnull))
        try:
            yield Browser(driver, tmp_path)
        finally:
            driver.quit()


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
    run = launch(browser, stack, stack.upload(scan(f"terminated-{time.time_ns()}.pdf", 60)))
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
