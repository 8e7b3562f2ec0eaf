#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""browser.py PROGRAM CASE: runs one of the functions case_* below in a headless Chromium; SKIP (77) where there is none.

browser.py PROGRAM screenshots FOLDER writes the pictures that doc/ shows.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "common"))
import chromium

program = sys.argv[1]


class Page:
    """The page of a program's monitor, opened."""

    def __init__(self, *options, query="", **how):
        self.process = subprocess.Popen([program, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.browser = None
        try:
            self.url = self.process.stdout.readline().strip()
            assert self.url.startswith("http://"), "it does not say its address"
            self.browser = chromium.Browser()
            self.browser.open(self.url + query, **how)
            if not query and "--token" not in options:
                self.live()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.browser:
            self.browser.close()
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __getattr__(self, name):
        return getattr(self.browser, name)

    def live(self):
        self.until("document.querySelector('#state').textContent.trim() === 'Live'", "the page is live")

    def tell(self, *words):
        for word in words:
            self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def shows(self, selector, text):
        self.until(f"[...document.querySelectorAll({selector!r})].some(e => e.textContent.includes({text!r}))", f"{selector} shows {text}")

    def good(self):
        assert not self.browser.console, self.browser.console

    def fits(self, width):
        assert self.run("document.documentElement.scrollWidth") <= width, width


def case_a_lane_shows_what_runs():
    with Page("--processes", "2", "--threads", "0") as p:
        p.tell("slow")
        p.shows(".runs li", "poster")
        p.shows(".runs li", "tenant 7")
        p.shows(".summary", "1 busy")
        p.until("(() => { const c = document.querySelector('canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
                " for (let i = 0; i < d.length; i += 4) if (d[i] === 0x2f && d[i + 1] === 0x78 && d[i + 2] === 0xbd) return true; return false; })()",
                "a bar in the colour of the label")
        p.until("document.querySelector('canvas').getAttribute('aria-label').includes('poster for')", "it is told in words")
        p.click(".all summary")
        p.shows(".workers tr", "poster, task 0")
        p.until("document.querySelector('[data-of=memory]').textContent.includes('iB')", "memory is shown")
        p.good()


def case_figures_are_of_the_last_seconds():
    with Page("--processes", "0", "--threads", "2") as p:
        p.tell("small")
        p.shows(".totals", "100,000 done")
        p.until("document.querySelector('[data-of=run99]').textContent.includes('s')", "the quantiles are shown")
        p.shows(".legend li", "small")
        p.good()


def case_failures_open_their_reports():
    with Page("--processes", "2", "--threads", "0") as p:
        p.tell("crash")
        p.shows(".failures .where", "decode, task 0")
        p.tell("throw")
        p.shows(".failures .what", "line 12 has no <end>")
        p.tell("timeout")
        p.shows(".failures b", "timed out")
        assert p.run("document.querySelectorAll('.failures > li').length") == 3
        assert p.run("[...document.querySelectorAll('.failures b')].map(b => b.textContent).join()") == "timed out,threw,died", "the latest first"
        p.click(".failures > li:last-child summary")
        p.shows(".failures > li:last-child .stack", "read_pixel")
        p.shows(".failures > li:last-child .stack", "crashed at ")
        p.shows(".failures > li:last-child .command", "--twat-mp-replay task-0-")
        p.click(".failures > li:first-child summary")
        p.shows(".failures > li:first-child .stack", "hang")
        p.shows(".failures > li:first-child .stack", "stuck at ")
        p.good()


def case_a_downloaded_call_is_replayed():
    with Page("--processes", "2", "--threads", "0") as p, tempfile.TemporaryDirectory() as folder:
        p.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=folder)
        p.tell("throw")
        p.shows(".failures b", "threw")
        p.click(".failures > li summary")
        p.shows(".command", "--twat-mp-replay")
        p.click(".download")
        file = whole_file(folder, ".parcel")
        again = subprocess.run([program, "--twat-mp-replay", file], capture_output=True, text=True, timeout=120, check=False)
        assert again.returncode != 0 and "line 12 has no <end>" in again.stdout + again.stderr, again
        p.good()


def whole_file(folder, end):
    limit = time.monotonic() + 60
    while True:
        for name in os.listdir(folder):
            if name.endswith(end):
                return os.path.join(folder, name)
        assert time.monotonic() < limit, "nothing was downloaded"
        time.sleep(0.1)


def case_stacks_are_dumped():
    with Page("--processes", "1", "--threads", "0") as p:
        p.tell("slow")
        p.shows(".runs li", "poster")
        p.click(".dump")
        p.until("document.querySelector('#dump').open", "the dump is shown")
        p.shows("#dump-text", "render")
        p.key("Escape", 27)
        p.until("!document.querySelector('#dump').open", "it is closed")
        p.good()


def case_ten_seconds_are_recorded():
    with Page("--processes", "2", "--threads", "0") as p, tempfile.TemporaryDirectory() as folder:
        p.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=folder)
        p.tell("slow")
        p.shows(".runs li", "poster")
        p.click(".record")
        p.shows(".record", "Recording")
        p.until("document.querySelector('.record').disabled", "one at a time")
        p.tell("work")
        with open(whole_file(folder, "renders.json"), encoding="utf-8") as f:
            events = json.load(f)
        names = {e.get("name") for e in events}
        assert {"poster", "thumbnail", "thread_name"} <= names, names
        p.until("!document.querySelector('.record').disabled", "it can be done again")
        p.good()


def case_nothing_is_allowed_by_default():
    with Page("--read-only", "--processes", "1", "--threads", "0") as p:
        p.tell("throw")
        p.shows(".failures b", "threw")
        p.click(".failures > li summary")
        p.until("document.querySelector('.waiting').hidden", "the report is there")
        assert p.run("[...document.querySelectorAll('.dump, .record, .download, .again')].every(e => !e.checkVisibility())")
        for path, method in (("dump?pool=renders", "POST"), ("record?pool=renders", "POST"), ("parcel?pool=renders&id=1", "GET")):
            assert p.run(f"fetch({path!r}, {{method: {method!r}}}).then(a => a.status)") == 403, path
        p.good()


def case_a_token_is_asked_for():
    secret = "0123456789abcdef"
    with Page("--token", secret, "--processes", "1", "--threads", "0", query="?token=" + secret) as p:
        p.live()
        assert "token" not in p.run("location.href")
        p.run("sessionStorage.clear(); token = 'wrong'; 0")
        p.until("!document.querySelector('#ask-token').hidden", "it asks")
        p.click("#token")
        p.call("Input.insertText", text=secret)
        p.key("Enter", 13, "\r")
        p.live()
        p.until("document.querySelector('#ask-token').hidden", "it asks no more")
        p.good()


def case_pools_come_and_go():
    with Page("--processes", "1", "--threads", "1") as p:
        p.until("document.querySelectorAll('.pool').length === 2", "two pools")
        p.tell("unwatch")
        p.until("document.querySelectorAll('.pool').length === 1", "one pool")
        p.good()


def case_a_program_that_is_gone_is_told():
    with Page("--processes", "1", "--threads", "0") as p:
        p.process.stdin.close()
        p.process.wait(timeout=60)
        p.until("document.querySelector('#state').textContent.includes('No answer for')", "the page says so")


def case_hundreds_of_workers_are_shown():
    with Page("--processes", "0", "--threads", "300", width=390, height=800) as p:
        p.tell("check", "small")
        p.shows(".totals", "done")
        p.until("document.querySelector('.lanes').matches('.dense')", "rows without words")
        p.click(".all summary")
        p.shows(".workers tr", "and 100 more")
        p.fits(390)
        p.good()


def case_workers_of_several_hosts_stand_under_their_host():
    lanes = [[0, 0, 1, 1, "render", 20, 0, 5, 1, 0, 20, 0, 0, "amsel"], [1, 0, 1, 0, "", 0, 0, 0, 0, 0, 0, 0, 0, "amsel"],
             [0, 0, 1, 0, "", 0, 0, 0, 0, 0, 0, 0, 0, "fink"]]
    many = [[i, 0, 1, 0, "", 0, 0, 0, 0, 0, 0, 0, 0, host] for host in ("amsel", "fink") for i in range(20)]
    with Page("--processes", "1", "--threads", "0", width=390, height=800) as p:
        def shown(workers):
            # in one go, before the next frame comes
            texts = "[...document.querySelectorAll('{} li')].map(li => li.textContent + (li.matches('.host') ? ':' : ''))"
            return p.run("ask('frame.json').then(a => a.json()).then(frame => { frame.pools[0].workers = " + json.dumps(workers) + "; show(frame); return ["
                         + ".join(), ".join(texts.format(list) for list in (".names", ".runs")) + ".join(), document.documentElement.scrollWidth]; })")
        p.run("document.querySelector('.all').open = true; 0")
        names, runs, width = shown(lanes)
        assert names == "amsel:,0,1,fink:,0" and width <= 390, (names, width)
        assert runs == "1 of 2 busy:,render 20 ms · task 5,idle,0 of 1 busy:,idle", runs
        names, _, width = shown(many)
        assert names == "amsel:,fink:" and width <= 390, (names, width)
        p.shows(".runs li", "idle") # a frame of the program's own
        p.until("!document.querySelector('.names .host')", "without a host there is no heading")
        assert p.run("document.querySelector('.all .host').hidden")
        p.good()


def case_everything_can_be_reached_with_the_keyboard():
    with Page("--processes", "1", "--threads", "0") as p:
        p.tell("throw")
        p.shows(".failures b", "threw")
        reached = []
        for _ in range(8):
            p.key("Tab", 9)
            reached.append(p.run("document.activeElement.className || document.activeElement.textContent.trim()"))
        for wanted in ("dump", "record", "Workers as a table"):
            assert wanted in reached, (wanted, reached)
        assert any("threw" in r for r in reached), reached
        p.run("document.querySelector('.failures summary').focus()")
        p.key("Enter", 13, "\r")
        p.until("document.querySelector('.waiting').hidden", "the report is open")
        p.good()


def case_a_screen_reader_finds_names_and_roles():
    with Page("--processes", "1", "--threads", "0") as p:
        nodes = p.call("Accessibility.getFullAXTree")["nodes"]
        found = {(n["role"]["value"], n["name"]["value"]) for n in nodes if not n.get("ignored") and n.get("name") and n.get("role")}
        for wanted in (("heading", "renders"), ("button", "Dump stacks"), ("button", "Record 10 s")):
            assert wanted in found, (wanted, sorted(found))
        assert any(role in ("image", "img") and name.startswith("Timeline of 1 worker") for role, name in found), sorted(found)
        assert not any(role in ("button", "textbox") and not name for role, name in found)
        p.good()


def case_fits_phones_and_desktops():
    with Page("--processes", "2", "--threads", "2") as p:
        p.tell("slow", "crash", "throw", "check")
        p.until("document.querySelectorAll('.failures > li').length === 2", "the failures are there")
        for width in (320, 390, 768, 1280, 1920):
            for dark in (False, True):
                p.open(p.url, width=width, height=800, dark=dark)
                p.live()
                p.until("document.querySelectorAll('.failures > li').length === 2")
                p.click(".failures > li:last-child summary")
                p.until("document.querySelector('.failures > li:last-child .waiting').hidden")
                p.click(".all summary")
                p.fits(width)
        p.good()


def screenshots(folder):
    def fill(p):
        p.tell("slow", "work", "check")
        time.sleep(3)
        p.tell("crash", "work", "check", "throw")
        time.sleep(4)
        p.tell("timeout", "work", "check", "check", "small")
        time.sleep(5)
        p.tell("work", "work", "check")
        time.sleep(1)

    for name, how in (("desktop-light", {"width": 1280, "height": 1120}), ("phone-dark", {"width": 390, "height": 844, "dark": True, "touch": True, "scale": 2})):
        with Page("--processes", "4" if name.startswith("d") else "3", "--threads", "2", **how) as p:
            fill(p)
            p.screenshot(os.path.join(folder, f"monitor-{name}.png"))
            if name.startswith("p"):
                continue
            p.click(".failures > li:last-child summary")
            p.until("document.querySelector('.failures > li:last-child .waiting').hidden")
            p.run("document.activeElement.blur(); document.querySelector('.failures > li:last-child').scrollIntoView({block: 'start'})")
            time.sleep(1)
            root = str(pathlib.Path(__file__).resolve().parents[3]) + "/" # not everybody's
            p.run(f"for (const e of document.querySelectorAll('pre')) e.textContent = e.textContent.replaceAll({root!r}, '').replaceAll('build/page_', './'); 0")
            p.screenshot(os.path.join(folder, f"monitor-{name}-report.png"))


if not chromium.find():
    print("SKIP: there is no chromium")
    sys.exit(77)
if sys.argv[2] == "screenshots":
    screenshots(sys.argv[3])
else:
    globals()["case_" + sys.argv[2]]()
