"""The page that chooses a backend, in a real browser: by mouse, by keyboard, and without its script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[3]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    site = tmp_path_factory.mktemp("served") / "site"
    wheels = [path for label in ("omp", "tbb", "native") for path in (ROOT / "dist" / label).glob("*.whl")]
    command = [sys.executable, "-m", "threadwheel_build", "index", *wheels, "-o", site]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "PYTHONPATH": str(ROOT / "python")})
    # Not at the top of the server: the page finds out where it is.
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site.parent))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/site"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except Error as err:
            pytest.fail(f"no Chromium: apt install chromium, or playwright install chromium\n{err}")
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/")
    yield page
    context.close()
    assert errors == []


def line(address: str, label: str) -> str:
    version = "0.1.0" if label == "omp" else f"0.1.0+{label}"
    url = f"{address}/{label}/simple/"
    return f"pip install --index-url {url} --extra-index-url https://pypi.org/simple/ threadwheel==={version}"


@pytest.mark.parametrize("label", ["omp", "tbb", "native"])
def test_a_chosen_backend_shows_its_line_and_copies_it(page: Page, address: str, label: str) -> None:
    page.get_by_role("radio", name=label).check()
    expect(page.get_by_role("heading", level=2)).to_have_count(1)
    expect(page.get_by_role("heading", level=2)).to_contain_text(label)
    expect(page.locator("section:visible code[data-tool=pip]")).to_have_text(line(address, label))
    page.get_by_role("button", name="Copy the pip line").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == line(address, label)


def test_the_keyboard_is_enough(page: Page, address: str) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="omp")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="tbb")).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy the pip line")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == line(address, "tbb")


def test_everything_has_a_name_for_a_screen_reader(page: Page) -> None:
    assert page.evaluate("document.documentElement.lang") == "en"
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("group", name="Backend")).to_have_count(1)
    expect(page.get_by_role("region")).to_have_count(1)  # the section that is shown, named by its heading
    for control in page.get_by_role("radio").all() + page.get_by_role("button").all():
        assert control.evaluate("e => e.labels && e.labels.length ? e.labels[0].textContent : e.textContent").strip()
    identifiers = page.evaluate("Array.from(document.querySelectorAll('[id]'), e => e.id)")
    assert len(identifiers) == len(set(identifiers))


def test_without_the_clipboard_the_line_is_selected(page: Page, address: str) -> None:
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy the pip line").click()
    expect(page.get_by_role("status")).to_contain_text("the line is selected")
    assert page.evaluate("getSelection().toString()") == line(address, "omp")


def test_it_fits_a_narrow_screen(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_the_script_every_backend_is_shown(chromium: Browser, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/")
    expect(page.locator("section:visible")).to_have_count(3)
    expect(page.get_by_role("button")).to_have_count(0)
    context.close()
