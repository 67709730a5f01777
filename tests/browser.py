"""Chromium on pages of Dagster's UI and of the results."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
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
IS_THERE = bool(shutil.which(CHROMIUM) and shutil.which(DRIVER))


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

    def picture(self, name: str) -> None:
        """Keep what is seen now, for people who look at it after the test."""
        self._driver.save_screenshot(str(self._pictures / f"{name}.png"))

    def do(self, script: str, *arguments: object) -> object:
        """Run JavaScript."""
        return self._driver.execute_script(script, *arguments)


@contextmanager
def chromium(pictures: Path) -> Iterator[Browser]:
    """A browser with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(DRIVER, log_output=os.devnull))
        try:
            yield Browser(driver, pictures)
        finally:
            driver.quit()
