#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""browser.py SERVER CASE: runs one of the functions case_* below in a headless Chromium; SKIP (77) where there is none.

browser.py SERVER screenshots FOLDER writes the pictures that doc/ shows.
"""
import os
import pathlib
import sys
import tempfile
import time

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

    def log_has(self, text):
        self.until(f"document.querySelector('#log').textContent.includes({text!r})", "the log says " + text)

    def good(self):
        assert not self.browser.console, self.browser.console


def case_flood_shows_work():
    with Page("--workers", "2") as p:
        p.until("document.querySelectorAll('#table tr').length === 2", "the table has the workers")
        p.click("#flood")
        p.log_has("60 tasks came at once")
        p.until("parseFloat(document.querySelector('#rate').textContent) > 0", "the rate is shown")
        p.until("document.querySelector('#p99').textContent !== '–'", "the quantiles are shown")
        p.until("parseInt(document.querySelector('#totals').textContent) > 5", "they are counted")
        assert p.run("new Set(spans.filter(s => s.label === 'hash').map(s => s.w)).size") == 2, "both workers took part"
        # Something was drawn in the lane of the first worker.
        p.until("""(() => { const c = document.querySelector('#lanes'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
                   const colours = new Set(); for (let i = 0; i < d.length; i += 4) if (d[i + 3] === 255) colours.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);
                   return colours.has(0x0e9384); })()""", "a bar in the colour of hash")
        p.good()


def case_a_crash_is_shown_and_survived():
    with Page("--workers", "2") as p:
        p.click("#crash")
        p.log_has("500")
        p.log_has("signal 11")
        p.log_has("died")
        p.until("spans.some(s => s.label === 'crash' && s.how === 'died')", "the timeline shows it")
        p.until("[...document.querySelectorAll('#table tr')].every(r => r.textContent.includes('idle'))", "another took its place")
        p.good()


def case_kill_is_shown_and_survived():
    with Page("--workers", "2") as p:
        before = p.run("[...workers.processes.values()].map(w => w.pid)")
        p.click("#kill")
        p.log_has("another one took its place")
        p.until("workers.processes.size === 2", "two workers again")
        after = p.run("[...workers.processes.values()].map(w => w.pid)")
        assert len(set(after) - set(before)) == 1, (before, after)
        p.until("document.querySelector('#totals').textContent.includes('1 workers died')", "it is counted")
        p.good()


def case_a_slow_task_is_seen_running():
    with Page("--workers", "1") as p:
        p.click("#slow")
        p.until("document.querySelector('#table').textContent.includes('slow for')", "the table shows it")
        p.until("document.querySelector('#queue').textContent.startsWith('1')", "one is running")
        p.log_has("the slow task ended after")
        p.good()


def case_inline_work_blocks_the_loop_and_the_page_says_so():
    with Page() as p:
        p.click("input[value=inline]")
        p.log_has("new work goes to the event loop")
        p.until("document.querySelector('input[value=inline]').checked && document.querySelector('#hint').textContent.includes('nobody is served')")
        p.click("#slow")
        p.log_has("the slow task ended after")
        p.until("Math.max(...lags.map(l => l[1])) > 1000", "the lag is shown")
        p.until("document.querySelector('#lagline').getAttribute('aria-label').includes('Lag')")
        p.click("#crash")
        p.log_has("it would be the server that dies")
        p.click("input[value=threads]")
        p.log_has("new work goes to threads")
        p.good()


def case_a_silent_server_is_told_by_the_pages_own_clock():
    with Page("--inline") as p:
        p.until("lags.length > 5", "the lag is measured")
        p.run("fetch('/slow?ms=6000', {method: 'POST'}).then(a => a.text()); 0")
        p.until("document.querySelector('#state').textContent === 'no word from the server for 3 s'", "the page says so")
        assert p.run("document.querySelector('#lag-tile').matches('.warn') && parseFloat(document.querySelector('#lag').textContent) >= 2"), "the lag grows"
        assert p.run("document.querySelector('#rate').parentElement.matches('.old')"), "the figures are marked as old"
        p.until("document.querySelector('#lanes').getAttribute('aria-label').includes('no word')", "it is told in words")
        p.until("document.querySelector('#state').textContent === 'live'", "it is live again")
        p.until("document.querySelector('#rate').parentElement.matches(':not(.old)')", "the figures are of now")
        p.good()


def case_refused_work_is_told():
    with Page("--workers", "1", "--max-pending", "4") as p:
        p.click("#flood")
        p.log_has("requests were refused: too many wait already")
        p.until("document.querySelector('#totals').textContent.includes(figures.refused + ' refused') && figures.refused > 50", "they are counted")
        p.good()


def case_small_tasks_share_bars():
    with Page("--workers", "2", "--max-pending", "100000") as p:
        p.run("fetch('/flood?tasks=4000&rounds=1', {method: 'POST'}).then(a => a.text()); 0")
        p.until("figures.done === 4000 && running.size === 0", "all have run")
        told = p.run("[spans.length, spans.reduce((n, s) => n + s.n, 0), spans.every(s => s.busy <= s.to - s.from + .01)]")
        # Tasks that the page itself caused may be among them.
        assert told[0] < 400 and 4000 <= told[1] < 4100 and told[2], told
        p.good()


def case_deaths_do_not_hide_each_other():
    with Page("--workers", "1") as p:
        p.run("for (let i = 0; i < 6; ++i) marks.push({m: 'processes', w: 0, t: now() - 3000 - i * (i < 3 ? 60 : 900), how: 'died', pid: 100000 + i}); 0")
        drawn = p.run("""(() => {
            const g = document.querySelector('#lanes').getContext('2d'), left = gutter(), end = now();
            const x = t => left + (t - end + span()) * (document.querySelector('#lanes').clientWidth - left) / span();
            return badges(g, x, left, 40, 1, end).map(b => [b.from, b.from + b.wide, b.count, b.text]);
        })()""")
        assert sum(b[2] for b in drawn) == 6 and 1 < len(drawn) < 6, drawn
        assert any(b[3].endswith("died") for b in drawn), drawn
        for right, here in zip(drawn, drawn[1:]):
            assert here[1] < right[0], drawn
        p.good()


def case_errors_are_shown_whole():
    with Page(width=320, height=800) as p:
        p.run("note('bad', '500', 'why '.repeat(60) + 'x'.repeat(200)); thumbnail(new Blob(['GIF89a']), 'n'.repeat(120))")
        p.until("document.querySelector('#pictures .frame.bad') !== null", "the picture is refused")
        for selector in ("#log li", "#pictures li", "#pictures .frame", ".tile dt"):
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
        for _ in range(14):
            p.key("Tab", 9)
            reached.append(p.run("document.activeElement.id || document.activeElement.value || document.activeElement.tagName"))
        for wanted in ("processes", "flood", "slow", "crash", "kill", "files", "samples", "SUMMARY"):
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
                       ("heading", "Workers"), ("group", "Where the work runs"), ("status", "")):
            assert wanted in found or any(r == wanted[0] and wanted[1] == "" for r, _ in found), (wanted, sorted(found))
        assert any(role in ("image", "img") and name.startswith("Timeline of the workers") for role, name in found), sorted(found)
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
    def fill(p):
        def press(name, seconds):
            p.run(f"document.querySelector('#{name}').click()")
            time.sleep(seconds)

        p.click("#samples")
        p.until("document.querySelectorAll('#pictures img').length === 12")
        p.run("document.activeElement.blur(); scrollTo(0, 0)")
        press("flood", 1.2)
        press("crash", 2)
        press("slow", 1)
        press("kill", 1.5)
        press("slow", 0.4)
        press("samples", 1.2)
        press("flood", 0.8)

    with Page("--workers", "4", width=1280, height=980) as p:
        fill(p)
        p.screenshot(os.path.join(folder, "offload_server-desktop-light.png"))
        p.until("running.size === 0 && figures.pending === 0")
        p.run("document.querySelector('input[value=inline]').click()")
        p.until("mode === 'inline'")
        time.sleep(6)
        p.run("document.querySelector('#slow').click()")
        time.sleep(5)
        p.run("document.querySelector('#samples').click()")
        time.sleep(4)
        p.screenshot(os.path.join(folder, "offload_server-inline.png"))
    with Page("--workers", "2", width=390, height=844, dark=True, touch=True, scale=2) as p:
        fill(p)
        p.screenshot(os.path.join(folder, "offload_server-phone-dark.png"))


if not chromium.find():
    print("SKIP: there is no chromium")
    sys.exit(77)
if sys.argv[2] == "screenshots":
    screenshots(sys.argv[3])
else:
    globals()["case_" + sys.argv[2]]()
