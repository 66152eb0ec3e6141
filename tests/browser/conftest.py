"""Browser tests: a Chromium that reaches this machine only, demos without Jupyter, and a real JupyterLab.

``page`` and ``show`` are for demos on a page of their own (a tenth of a second each); ``lab`` opens a notebook in a
real JupyterLab and runs it (several seconds). The context managers below them serve the benchmarks as well.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "file:", "about:")


def chromium_path() -> str | None:
    """Return the system's Chromium; CNNLAB_CHROMIUM overrides the search.

    The headless shell draws and runs pages as the whole browser does, without a window around each: the tests of demos
    take 40% of the time.
    """
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CNNLAB_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def local_pages(browser: Browser, *, strict: bool = True, **options: Any) -> Iterator[BrowserContext]:
    """Open a fresh profile that aborts requests beyond this machine; a strict one fails at the end if there was one."""
    strays: list[str] = []

    def guard(route: Route) -> None:
        if route.request.url.startswith(LOCAL):
            route.continue_()
        else:
            strays.append(route.request.url)
            route.abort()

    context = browser.new_context(**{"viewport": {"width": 1000, "height": 900}, **options})
    context.route("**/*", guard)
    try:
        yield context
    finally:
        context.close()
    assert not (strict and strays), f"the page asked for addresses beyond this machine: {strays}"


class Lab:
    """A running JupyterLab: write notebooks into `root`, open them with `run_notebook`."""

    def __init__(self, root: Path, port: int, token: str) -> None:
        self.root, self.port, self.token = root, port, token

    def write_notebook(self, name: str, cells: list[str]) -> str:
        """Write code cells as a notebook and return its name."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(notebook, self.root / name)
        return name

    def run_notebook(self, page: Page, name: str, *, seconds: float = 90) -> Page:
        """Open a notebook under `root`, run all its cells, and fail if one of them raised."""
        page.set_default_timeout(seconds * 1000)
        page.goto(f"http://127.0.0.1:{self.port}/lab/tree/{name}?token={self.token}&reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        # The command, not the menu: clicks on the Run menu are lost now and then while Lab is still loading.
        page.evaluate(
            """async () => {
              const app = window.jupyterapp;
              await app.restored;
              const panel = app.shell.currentWidget;
              await panel.context.ready;
              await panel.sessionContext.ready;
              await panel.sessionContext.session.kernel.info;
              await app.commands.execute("notebook:run-all-cells");
            }"""
        )
        errors = page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.widgets
              .filter((cell) => cell.model.type === "code")
              .flatMap((cell) => cell.model.outputs.toJSON())
              .filter((output) => output.output_type === "error")
              .map((output) => `${output.ename}: ${output.evalue}`)"""
        )
        assert errors == [], f"cells of {name} raised"
        return page

    def in_kernel(self, page: Page, expression: str) -> str:
        """Evaluate a Python expression in the kernel of the open notebook and return its repr."""
        result = page.evaluate(
            """async (expression) => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              const done = await kernel.requestExecute({ code: "", user_expressions: { it: expression } }).done;
              return done.content.user_expressions.it;
            }""",
            expression,
        )
        assert result["status"] == "ok", result
        return str(result["data"]["text/plain"])

    def expect_in_kernel(self, page: Page, expression: str, value: str, *, seconds: int = 20) -> None:
        """Wait until the kernel has heard of what was done on the page."""
        for _ in range(10 * seconds):
            if self.in_kernel(page, expression) == value:
                return
            page.wait_for_timeout(100)
        raise AssertionError(f"{expression} is {self.in_kernel(page, expression)}, not {value}")


@contextmanager
def running_lab(folder: Path, *, notebooks: Path | None = None) -> Iterator[Lab]:
    """Start a JupyterLab on the loopback that keeps everything it writes under `folder`; open `notebooks` if given."""
    root, home = notebooks or folder / "notebooks", folder / "home"
    root.mkdir(parents=True, exist_ok=True)
    home.mkdir(parents=True)
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    news = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(news))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    places = {"HOME": "", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    places |= {"IPYTHONDIR": "ipython", "XDG_CACHE_HOME": "cache", "MPLCONFIGDIR": "matplotlib"}
    environment = {**os.environ, **{name: str(home / place) for name, place in places.items()}}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"]
    command += [f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url="]
    command += [
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    command += [f"--LabApp.user_settings_dir={home / 'settings'}", f"--LabApp.workspaces_dir={home / 'workspaces'}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    log = home / "lab.log"
    with (
        log.open("w") as out,
        subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=root) as server,
    ):
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/api/status?token={token}", server, log)
            yield Lab(root, port, token)
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait_until_up(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, so that no test forgets to say what it needs."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if chromium_path() is None:
        pytest.skip("Chromium is not installed (set CNNLAB_CHROMIUM to its path)")
    with chromium() as running:
        yield running


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page (viewport=…, color_scheme=…, strict=…); an error in it fails the test."""
    errors: list[str] = []
    stack = []

    def make(**options: Any) -> Page:
        manager = local_pages(browser, **options)
        context = manager.__enter__()
        stack.append(manager)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for manager in reversed(stack):
        manager.__exit__(None, None, None)
    assert errors == [], "the page raised"


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


@pytest.fixture
def show(tmp_path: Path) -> Callable[..., Page]:
    """Return a function that saves a demo and opens the file, as a reader without Jupyter would."""

    def open_demo(page: Page, demo: Any, **options: Any) -> Page:
        path = demo.save(tmp_path / f"demo{len(list(tmp_path.iterdir()))}.html", **options)
        page.goto(path.as_uri())
        page.wait_for_selector(".cnnlab-demo")
        return page

    return open_demo


class DemoPage:
    """A demo open in a page, read and moved as a reader would; `number` undoes what the page does to numbers."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".cnnlab-demo")

    def words(self, selector: str = ".words") -> str:
        return self.root.locator(selector).inner_text()

    def set(self, name: str, value: float | str) -> None:
        """Move a slider or choose an option."""
        control = self.root.locator(f"[name={name}]")
        if control.evaluate("e => e.tagName") == "SELECT":
            control.select_option(str(value))
        else:
            control.evaluate(
                "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })) }", str(value)
            )

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def cells(self, grid: str) -> list[str]:
        """Return the texts in the cells of a grid, row by row."""
        return self.root.locator(f'[data-grid="{grid}"] text.value').all_text_contents()

    def unfold(self) -> None:
        """Open the folded parts."""
        closed = self.root.locator("details:not([open]) > summary")
        closed.evaluate_all("summaries => summaries.forEach((summary) => summary.click())")

    def table(self, index: int = 0) -> list[list[str]]:
        """Return the rows of a table of the numbers, unfolding it first."""
        self.unfold()
        tables = self.root.locator("[data-part=numbers] table")
        tables.first.wait_for()
        rows = tables.nth(index).locator("tbody tr")
        return rows.evaluate_all("rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))")

    def listing(self, title: str) -> str:
        """Return the code shown under a title, "NumPy" or "PyTorch"."""
        self.unfold()
        return self.root.locator(f'pre[aria-label="{title} code"]').inner_text()

    @staticmethod
    def number(text: str) -> float:
        return float(text.replace("−", "-").replace("+", "").replace("\u2009", ""))


@pytest.fixture
def open_demo(page: Page, show: Callable[..., Page]) -> Callable[..., DemoPage]:
    """Return a function that shows a demo on a page of its own and returns it as a `DemoPage`."""

    def opened(demo: Any, **options: Any) -> DemoPage:
        return DemoPage(show(page, demo, **options))

    return opened


@pytest.fixture
def in_module(page: Page) -> Callable[..., Any]:
    """Return a function that imports a demo's module without drawing it and evaluates JavaScript in it.

    ``in_module(Demo, "convolve(...args)", args)`` returns the value of the expression, in which every name that the
    module exports for tests is known. Typed arrays come back as lists.
    """
    page.set_content("<p></p>")

    def evaluate(demo: Any, expression: str, *args: Any) -> Any:
        return page.evaluate(
            """async ([esm, expression, args]) => {
              const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
              const module = await import(url);
              const names = Object.keys(module).filter((name) => name !== "default");
              const result = Function(...names, "args", `return ${expression}`)(...names.map((n) => module[n]), args);
              const plain = (key, value) => (ArrayBuffer.isView(value) ? [...value] : value);
              return JSON.parse(JSON.stringify(result, plain) ?? "null");
            }""",
            [str(demo._esm), expression, args],
        )

    return evaluate


@pytest.fixture(scope="session")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running
