#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""browse.py SITE PICTURES [PAGE...]: reads the built site as a visitor does, in a headless Chromium; tools/docs --browse calls it.

Opens each page on a desktop and on a phone, light and dark; follows each link of each page; searches three words; walks with the Tab key.
Fails on errors of the console, on files that do not load, on links without a target, on pages that are wider than the screen and on a search that
finds nothing. Writes pictures of a few pages to PICTURES. Ends with 77 where there is no Chromium.
"""
import functools
import http.server
import pathlib
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
root = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(root / "test/common"))
import chromium

SCREENS = {"desktop-light": dict(width=1280, height=900), "desktop-dark": dict(width=1280, height=900, dark=True),
           "phone-light": dict(width=320, height=640, touch=True), "phone-dark": dict(width=320, height=640, dark=True, touch=True)}
SEARCHES = {"try_map": "reference/", "systemd": "howto/", "worker_died": "reference/"}
PICTURES = ["index.html", "start/server.html", "options.html", "reference/basic_async_pool.html", "reference/index.html", "errors.html", "performance.html"]

site, pictures = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
wrong = []


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Visitor(chromium.Browser):
    """Also notices what the page writes to the console as an error, and what fails to load."""

    def __init__(self):
        super().__init__()
        for domain in ("Log", "Network"):
            self.call(domain + ".enable")
        self.failed = []

    def _receive(self):
        message = super()._receive()
        told = message.get("params", {})
        if message.get("method") == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.failed.append(told["entry"]["text"] + " " + told["entry"].get("url", ""))
        if message.get("method") == "Runtime.consoleAPICalled" and told["type"] in ("error", "assert"):
            self.failed.append(str(told["args"]))
        if message.get("method") == "Network.responseReceived" and told["response"]["status"] >= 400:
            self.failed.append(f"{told['response']['status']} {told['response']['url']}")
        return message

    def complaints(self):
        found = self.failed + [str(each) for each in self.console]
        self.failed, self.console = [], []
        return found


def visit(browser, base, page, screen):
    browser.open(base + page, **SCREENS[screen])
    wide = browser.run("document.documentElement.scrollWidth") - SCREENS[screen]["width"]
    if wide > 1:
        who = browser.run("""[...document.querySelectorAll('article *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 &&
            !e.closest('.table-wrapper, .highlight, pre')).slice(0, 3).map(e => e.tagName + ': ' + e.textContent.slice(0, 60))""")
        wrong.append(f"{page}, {screen}: {wide} pixels wider than the screen: {who}")
    if not browser.run("document.querySelector('article h1')?.textContent.length > 1"):
        wrong.append(f"{page}: has no title")
    colour = browser.run("getComputedStyle(document.body).backgroundColor")
    if ("dark" in screen) == (colour in ("rgb(255, 255, 255)",)):
        wrong.append(f"{page}, {screen}: the background is {colour}")
    for told in browser.complaints():
        wrong.append(f"{page}, {screen}: {told}")


def links(browser):
    return browser.run("""[...document.querySelectorAll('a[href]')].map(a => a.href)""")


def follow(browser, base, targets):
    """Each target once: the page by the way, the anchor in it by looking."""
    by_page = {}
    for target in targets:
        page, _, anchor = target.partition("#")
        by_page.setdefault(page, set()).add(urllib.parse.unquote(anchor))
    for page, anchors in sorted(by_page.items()):
        browser.open(page, width=1280, height=900)
        for anchor in sorted(anchors - {""}):
            if not browser.run(f"document.getElementById({anchor!r}) !== null || document.getElementsByName({anchor!r}).length > 0"):
                wrong.append(f"{page}#{anchor}: there is no such place")
        for told in browser.complaints():
            wrong.append(f"{page}: {told}")
    return sum(len(anchors) for anchors in by_page.values())


def search(browser, base):
    for word, wanted in SEARCHES.items():
        browser.open(base + "index.html", **SCREENS["desktop-light"])
        browser.run(f"(() => {{ const f = document.querySelector('form.sidebar-search-container'); f.querySelector('input').value = {word!r}; f.submit(); }})()")
        browser.until("document.readyState === 'complete' && location.pathname.endsWith('search.html')", "the search page opens")
        browser.until("document.querySelectorAll('#search-results li').length > 0 && !document.querySelector('#search-progress')?.textContent.includes('...')",
                      f"the search for {word} finds something")
        time.sleep(1)  # summaries are fetched one after the other
        found = browser.run("[...document.querySelectorAll('#search-results li a')].map(a => a.getAttribute('href'))")
        if not any(wanted in each for each in found):
            wrong.append(f"search for {word}: {found[:5]}")
        print(f"search for {word}: {len(found)} results, first {found[0]}")
        for told in browser.complaints():
            wrong.append(f"search for {word}: {told}")


def keyboard(browser, base):
    browser.open(base + "index.html", **SCREENS["desktop-light"])
    reached = []
    for _ in range(25):
        browser.key("Tab", 9)
        reached.append(browser.run("document.activeElement.name || document.activeElement.textContent.trim().slice(0, 30)"))
    if "q" not in reached or not any("Overview" in each or "batch" in each for each in reached):
        wrong.append(f"the Tab key reaches only {reached}")


if not chromium.find():
    print("SKIP: there is no chromium")
    sys.exit(77)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(site)))
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}/"
pages = sys.argv[3:] or [str(path.relative_to(site)) for path in sorted(site.rglob("*.html"))
                         if "_static" not in path.parts and path.name not in ("genindex.html", "search.html")]
pictures.mkdir(parents=True, exist_ok=True)
with Visitor() as browser:
    targets = set()
    for page in pages:
        for screen in SCREENS:
            visit(browser, base, page, screen)
        targets.update(link for link in links(browser) if link.startswith(base))
    print(f"{len(pages)} pages on {len(SCREENS)} screens")
    print(f"{follow(browser, base, targets)} places that links lead to")
    search(browser, base)
    keyboard(browser, base)
    for page in PICTURES:
        for screen, how in SCREENS.items():
            if (site / page).exists():
                browser.open(base + page, **how)
                browser.screenshot(pictures / f"{page.removesuffix('.html').replace('/', '-')}-{screen}.png")
server.shutdown()
for words in wrong:
    print(words, file=sys.stderr)
print(f"{len(wrong)} wrong")
sys.exit(bool(wrong))
