"""A real browser: Debian's Chromium, driven by the WebDriver protocol."""
import base64
import json
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from . import rpc
from .wait import until

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
NO_BROWSER = "no browser: install chromium and chromedriver (Debian: chromium, chromium-driver)"
# It asks nobody for anything, and runs as root.
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window. `script=False` keeps pages from running JavaScript."""

    def __init__(self, script=True):
        self.profile = tempfile.mkdtemp(prefix="lp-browser-")
        self.port = rpc.free_port()
        self.driver = subprocess.Popen([DRIVER, f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.session = ""
        until(self._is_ready, "chromedriver answers")
        chrome = {"binary": CHROMIUM, "args": [*OPTIONS, f"--user-data-dir={self.profile}"]}
        if not script:
            chrome["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": chrome, "goog:loggingPrefs": {"browser": "ALL"}}}
        self.session = "/session/" + self._ask("POST", "/session", {"capabilities": capabilities})["sessionId"]

    def _is_ready(self):
        try:
            return self._ask("GET", "/status")["ready"]
        except OSError:
            return False

    def _ask(self, method, path, body=None):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode(errors='replace')[:500]}") from None

    def close(self):
        try:
            if self.session:
                self._ask("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(30)
            shutil.rmtree(self.profile, ignore_errors=True)

    def open(self, address):
        self._ask("POST", f"{self.session}/url", {"url": address})

    @property
    def address(self):
        return self._ask("GET", f"{self.session}/url")

    @property
    def title(self):
        return self._ask("GET", f"{self.session}/title")

    def find(self, xpath):
        """The only element that this is about."""
        found = self._ask("POST", f"{self.session}/elements", {"using": "xpath", "value": xpath})
        assert len(found) == 1, f"{len(found)} of {xpath}: {self.text()}"
        return found[0][ELEMENT]

    def press(self, words):
        """Presses the button or link that is called so, and waits for the page that follows."""
        page = self.find("/html")
        element = self.find(f"//*[self::a or self::button][@aria-label='{words}' or (not(@aria-label) and normalize-space()='{words}')]")
        self._ask("POST", f"{self.session}/element/{element}/click")
        until(lambda: self._is_gone(page), f"another page follows {words}")

    def _is_gone(self, element):
        try:
            self._ask("GET", f"{self.session}/element/{element}/name")
        except AssertionError:
            return True
        return False

    def name_of(self, xpath):
        """What a screen reader calls it."""
        return self._ask("GET", f"{self.session}/element/{self.find(xpath)}/computedlabel")

    def role_of(self, xpath):
        return self._ask("GET", f"{self.session}/element/{self.find(xpath)}/computedrole")

    def text(self, xpath="//body"):
        found = self._ask("POST", f"{self.session}/elements", {"using": "xpath", "value": xpath})
        return "\n".join(self._ask("GET", f"{self.session}/element/{each[ELEMENT]}/text") for each in found)

    def run(self, script):
        return self._ask("POST", f"{self.session}/execute/sync", {"script": script, "args": []})

    def complaints(self):
        """What the browser says on its console: refused loads, violated policies, missing files."""
        return [entry["message"] for entry in self._ask("POST", f"{self.session}/se/log", {"type": "browser"})]

    def resize(self, width, height):
        self._ask("POST", f"{self.session}/window/rect", {"width": width, "height": height})

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._ask("GET", f"{self.session}/screenshot")))
