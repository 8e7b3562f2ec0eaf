#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""browser.py SERVER CASE: runs one of the functions case_* below in a headless Chromium; SKIP (77) where there is none.

browser.py SERVER screenshots FOLDER writes the pictures that doc/ shows.
"""
import json
import os
import pathlib
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "test/common"))
import chromium
from served import Server, png

program = sys.argv[1]


class Page:
    """The server's page, opened."""

    def __init__(self, *options, **how):
        self.server = Server(program, *options)
        self.browser = None
        try:
            self.browser = chromium.Browser()
            self.browser.open(self.server.url, **how)
            self.until("document.querySelector('#state').textContent === 'live'", "the page is live")
            self.until("document.querySelector('input[name=mode]:checked') !== null", "the mode is shown")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.browser:
            self.browser.close()
        self.server.__exit__()

    def __getattr__(self, name):
        return getattr(self.browser, name)

    def until_told(self, monitor, condition):
        end = time.monotonic() + 60
        while True:
            with urllib.request.urlopen(monitor + "frame.json", timeout=60) as answer:
                frame = json.load(answer)
            if condition(frame):
                return frame
            assert time.monotonic() < end, frame
            time.sleep(0.1)

    def log_has(self, text):
        self.until(f"document.querySelector('#log').textContent.includes({text!r})", "the log says " + text)

    def good(self):
        assert not self.browser.console, self.browser.console


    def open_monitor(self):
        """The page that the link leads to, in the place of this one."""
        self.until("document.querySelector('#monitor').href !== location.href", "the link leads somewhere")
        self.browser.open(self.run("document.querySelector('#monitor').href"))
        self.until("document.querySelector('#state').textContent.trim() === 'Live'", "the monitor is live")

    def shows(self, selector, text):
        self.until(f"[...document.querySelectorAll({selector!r})].some(e => e.textContent.includes({text!r}))", f"{selector} shows {text}")


def case_flood_is_work_for_all_workers():
    with Page("--workers", "2", "--timeout", "600000") as p:
        p.click("#flood")
        p.log_has("60 tasks came at once")
        p.open_monitor()
        p.until("parseInt(document.querySelector('#pools .pool .totals').textContent) > 5", "they are counted")
        p.click(".all summary")
        p.until("[...document.querySelectorAll('.workers tr')].filter(r => r.children[1].textContent !== '–' && r.children[5].textContent !== '0').length === 2",
                "both workers took part")
        p.click(".bill summary")
        p.shows(".labels tr", "hash")
        p.good()


def case_a_crash_is_shown_and_survived():
    with Page("--workers", "2") as p:
        p.click("#crash")
        p.log_has("500")
        p.log_has("signal 11")
        p.open_monitor()
        p.shows(".failures .where", "crash")
        p.shows(".summary", "2 workers, 2 ready")
        p.click(".failures summary")
        p.shows(".stack", "crash")
        p.shows(".command", "--twat-mp-replay")
        p.good()


def case_kill_is_shown_and_survived():
    with Page("--workers", "2") as p:
        p.click("#kill")
        p.log_has("another one took its place")
        p.open_monitor()
        p.shows(".summary", "2 workers, 2 ready")
        p.shows(".totals", "1 worker died")
        p.good()


def case_a_slow_task_is_seen_running():
    with Page("--workers", "1", "--timeout", "600000") as p:
        p.run("fetch('/slow?ms=600000', {method: 'POST'}).catch(() => 0); 0") # as long as it takes to see it
        p.until("fetch('/metrics').then(a => a.text()).then(t => t.includes('offload_workers{workers=\"processes\",state=\"busy\"} 1'))", "it runs")
        # On the same page the task would end with its client.
        monitor = p.run("document.querySelector('#monitor').href")
        told = p.until_told(monitor, lambda frame: frame["pools"][0]["workers"][0][4] == "slow" and frame["pools"][0]["busy"] == 1)
        assert told["pools"][0]["workers"][0][5] > 0, told
        p.good()


def case_inline_work_blocks_the_loop_and_the_page_says_so():
    with Page() as p:
        p.click("input[value=inline]")
        p.log_has("new work goes to the event loop")
        p.until("document.querySelector('input[value=inline]').checked && document.querySelector('#hint').textContent.includes('nobody is served')")
        p.click("#slow")
        p.until("document.querySelector('#ping').matches('.warn')", "a small request waits")
        p.log_has("the slow task ended after")
        p.click("#crash")
        p.log_has("it would be the server that dies")
        p.click("input[value=threads]")
        p.log_has("new work goes to threads")
        p.good()


def case_a_silent_server_is_told_by_the_pages_own_clock():
    with Page("--inline") as p:
        p.run("fetch('/slow?ms=6000', {method: 'POST'}).then(a => a.text()); 0")
        p.until("document.querySelector('#state').textContent.startsWith('no word from the server for')", "the page says so")
        p.until("document.querySelector('#state').textContent === 'live'", "it is live again")
        p.good()


def case_refused_work_is_told():
    with Page("--workers", "1", "--max-pending", "4") as p:
        p.click("#flood")
        p.log_has("requests were refused: too many wait already")
        p.good()


def case_errors_are_shown_whole():
    with Page(width=320, height=800) as p:
        p.run("note('bad', '500', 'why '.repeat(60) + 'x'.repeat(200)); thumbnail(new Blob(['GIF89a']), 'n'.repeat(120))")
        p.until("document.querySelector('#pictures .frame.bad') !== null", "the picture is refused")
        for selector in ("#log li", "#pictures li", "#pictures .frame", ".seen"):
            assert p.run(f"[...document.querySelectorAll('{selector}')].every(e => e.scrollWidth <= e.clientWidth + 1 && e.scrollHeight <= e.clientHeight + 1)"), selector
        assert p.run("document.documentElement.scrollWidth") <= 320
        p.good()


def case_pictures_become_thumbnails():
    with Page() as p, tempfile.TemporaryDirectory() as folder:
        files = []
        for name, data in (("good.png", png(600, 400)), ("broken.png", png(600, 400)[:300])):
            files.append(os.path.join(folder, name))
            with open(files[-1], "wb") as f:
                f.write(data)
        node = p.call("DOM.querySelector", nodeId=p.call("DOM.getDocument")["root"]["nodeId"], selector="#files")["nodeId"]
        p.call("DOM.setFileInputFiles", files=files, nodeId=node)
        p.until("document.querySelector('#pictures img')?.naturalWidth === 240", "the thumbnail is shown")
        assert p.run("document.querySelector('#pictures img').alt") == "Thumbnail of good.png"
        p.until("document.querySelector('#pictures .bad')?.textContent.includes('damaged')", "the damaged one is told")
        p.good()


def case_pictures_can_be_dropped():
    with Page() as p:
        p.run("""(async () => {
            const canvas = Object.assign(document.createElement('canvas'), {width: 500, height: 500});
            const blob = await new Promise(done => canvas.toBlob(done, 'image/png'));
            const data = new DataTransfer();
            data.items.add(new File([blob], 'dropped.png', {type: 'image/png'}));
            const drop = document.querySelector('#drop');
            drop.dispatchEvent(new DragEvent('dragover', {dataTransfer: data, bubbles: true, cancelable: true}));
            drop.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
        })()""")
        p.until("document.querySelector('#pictures img')?.naturalWidth === 240", "the thumbnail is shown")
        p.good()


def case_samples_are_made():
    with Page() as p:
        p.click("#samples")
        p.until("document.querySelectorAll('#pictures img').length === 12 && "
                "[...document.querySelectorAll('#pictures img')].every(i => i.naturalWidth === 240)", "twelve thumbnails")
        p.good()


def case_everything_can_be_reached_with_the_keyboard():
    with Page() as p:
        reached = []
        for _ in range(16):
            p.key("Tab", 9)
            reached.append(p.run("document.activeElement.id || document.activeElement.value || document.activeElement.tagName"))
        for wanted in ("processes", "flood", "slow", "crash", "kill", "files", "samples", "monitor"):
            assert wanted in reached, (wanted, reached)
        p.run("document.querySelector('#flood').focus()")
        p.key("Enter", 13, "\r")
        p.log_has("60 tasks came at once")
        p.run("document.querySelector('input[value=processes]').focus()")
        p.key("ArrowRight", 39)
        p.log_has("new work goes to threads")
        p.good()


def case_a_screen_reader_finds_names_and_roles():
    with Page() as p:
        nodes = p.call("Accessibility.getFullAXTree")["nodes"]
        found = {(n["role"]["value"], n["name"]["value"]) for n in nodes if not n.get("ignored") and n.get("name") and n.get("role")}
        for wanted in (("button", "Flood with work"), ("button", "kill -9 a worker"), ("radio", "Processes"), ("log", "What happened"),
                       ("heading", "What the workers do"), ("link", "monitor"), ("group", "Where the work runs"), ("status", "")):
            assert wanted in found or any(r == wanted[0] and wanted[1] == "" for r, _ in found), (wanted, sorted(found))
        assert not any(role in ("button", "textbox", "radio") and not name for role, name in found)
        p.good()


def case_fits_phones_and_desktops():
    with Page() as p:
        for width in (320, 390, 768, 1280, 1920):
            for dark in (False, True):
                p.open(p.server.url, width=width, height=800, dark=dark)
                p.until("document.querySelector('#state').textContent === 'live'")
                assert p.run("document.documentElement.scrollWidth") <= width, width
        p.good()


def case_the_page_comes_back_when_the_server_does():
    with Page() as p:
        port = p.server.port
        assert p.server.stop() == 0
        p.until("document.querySelector('#state').textContent.includes('does not answer')", "it says that it lost the server")
        p.server.__exit__()
        p.server = Server(program, "--port", str(port))
        p.until("document.querySelector('#state').textContent === 'live'", "it is live again")


def screenshots(folder):
    def press(p, name, seconds):
        p.run(f"document.querySelector('#{name}').click()")
        time.sleep(seconds)

    with Page("--workers", "4", width=1280, height=860) as p:
        p.click("#samples")
        p.until("document.querySelectorAll('#pictures img').length === 12")
        press(p, "crash", 2)
        press(p, "slow", 4)
        press(p, "flood", 1)
        p.run("document.activeElement.blur(); scrollTo(0, 0)")
        p.screenshot(os.path.join(folder, "offload_server-page.png"))


if not chromium.find():
    print("SKIP: there is no chromium")
    sys.exit(77)
if sys.argv[2] == "screenshots":
    screenshots(sys.argv[3])
else:
    globals()["case_" + sys.argv[2]]()
