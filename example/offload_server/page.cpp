// SPDX-License-Identifier: BSL-1.0
// The page, with its style and its script: one answer, nothing from elsewhere. It listens to /events.
#include <string_view>

namespace offload {

extern const std::string_view page;
const std::string_view page = R"page(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Offload server</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' fill='%233b6ef5'/><path d='M3 5h7M3 8h10M3 11h5' stroke='white' stroke-width='1.8' stroke-linecap='round'/></svg>">
<style>
:root {
  --page: #f5f6f8; --card: #ffffff; --line: #dfe3ea; --text: #161b26; --soft: #5a6475; --faint: #eef1f5;
  --accent: #2f5fe0; --accent-text: #ffffff; --raised: #ffffff; --good: #12805c; --bad: #c8283c; --bad-soft: #fdecee;
  --thumbnail: #3b6ef5; --hash: #0e9384; --primes: #8a4fd8; --slow: #c77700; --crash: #c8283c; --gone: #98a1b0;
  --lag: #d9480f; --lag-area: rgba(217, 72, 15, .14); --shadow: 0 1px 2px rgba(16, 24, 40, .06), 0 4px 16px rgba(16, 24, 40, .05);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1117; --card: #171b23; --line: #2a303c; --text: #e8ebf1; --soft: #9aa5b8; --faint: #1e242e;
    --accent: #6d94ff; --accent-text: #0b1020; --raised: #343c4b; --good: #46c79b; --bad: #ff6b7a; --bad-soft: #3a1a20;
    --thumbnail: #6d94ff; --hash: #2ec4b2; --primes: #b48cf2; --slow: #f0a93b; --crash: #ff6b7a; --gone: #6b7486;
    --lag: #ff8f5c; --lag-area: rgba(255, 143, 92, .16); --shadow: none;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
header { display: flex; flex-wrap: wrap; gap: 10px 24px; align-items: center; justify-content: space-between; padding-top: 22px; padding-bottom: 16px; }
h1 { font-size: 21px; line-height: 1.2; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 14px; margin: 0; font-weight: 650; }
p { margin: 0; }
.soft { color: var(--soft); }
.state { display: inline-flex; align-items: center; gap: 7px; font-size: 13px; color: var(--soft); margin-top: 3px; }
.state i { width: 8px; height: 8px; border-radius: 50%; background: var(--gone); }
.state.live i { background: var(--good); }
.state.lost i { background: var(--bad); }
fieldset { border: 0; margin: 0; padding: 0; }
.modes { display: flex; background: var(--faint); border: 1px solid var(--line); border-radius: 10px; padding: 3px; }
.modes label { position: relative; cursor: pointer; }
.modes input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
.modes span { display: block; padding: 6px 14px; border-radius: 7px; font-size: 14px; font-weight: 550; color: var(--soft); }
.modes input:checked + span { background: var(--raised); color: var(--text); box-shadow: 0 1px 3px rgba(0, 0, 0, .14); }
.modes input:focus-visible + span { outline: 2px solid var(--accent); outline-offset: 1px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shadow); }
.tiles { display: grid; grid-template-columns: repeat(6, 1fr); gap: 12px; margin-bottom: 14px; }
.tile { padding: 12px 14px; min-width: 0; }
.tile dt { font-size: 12.5px; color: var(--soft); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tile dd { margin: 2px 0 0; font-size: 23px; font-weight: 640; letter-spacing: -.02em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile dd small { font-size: 13px; font-weight: 500; color: var(--soft); letter-spacing: 0; margin-left: 3px; }
.tile.warn dd { color: var(--bad); }
dl { margin: 0; }
.timeline { padding: 14px 0 8px; margin-bottom: 14px; overflow: hidden; }
.timeline .head { display: flex; flex-wrap: wrap; gap: 6px 18px; justify-content: space-between; padding: 0 16px 8px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; list-style: none; margin: 0; padding: 0; font-size: 12.5px; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend i { width: 11px; height: 11px; border-radius: 3px; }
canvas { display: block; width: 100%; }
.sub { padding: 6px 16px 0; font-size: 12.5px; color: var(--soft); border-top: 1px solid var(--line); }
.columns { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); gap: 14px; align-items: start; padding-bottom: 28px; }
.panel { padding: 14px 16px 16px; }
.panel > p { font-size: 13.5px; margin: 3px 0 12px; }
.buttons { display: grid; grid-template-columns: 1fr 1fr; gap: 9px; }
button, .button { font: inherit; font-weight: 560; font-size: 14px; color: var(--text); background: var(--card); border: 1px solid var(--line); border-radius: 9px; padding: 9px 12px; cursor: pointer; text-align: center; }
button:hover, .button:hover { border-color: var(--soft); }
button:active { transform: translateY(1px); }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-text); }
button.danger { color: var(--bad); border-color: color-mix(in srgb, var(--bad) 45%, var(--line)); }
button:focus-visible, a:focus-visible, summary:focus-visible, .drop:has(input:focus-visible) { outline: 2px solid var(--accent); outline-offset: 2px; }
button[aria-disabled=true] { opacity: .5; cursor: not-allowed; }
#log { list-style: none; margin: 14px 0 0; padding: 0; font-size: 13.5px; min-height: 132px; }
#log li { display: flex; gap: 9px; padding: 6px 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
#log b { flex: none; width: 38px; font-variant-numeric: tabular-nums; }
#log .good b { color: var(--good); } #log .bad b { color: var(--bad); } #log .note b { color: var(--soft); }
.drop { display: block; border: 1.5px dashed var(--line); border-radius: 11px; padding: 20px 14px; text-align: center; color: var(--soft); background: var(--faint); transition: border-color .15s, background .15s; }
.drop.over { border-color: var(--accent); background: color-mix(in srgb, var(--accent) 12%, var(--card)); }
.drop .row { display: flex; flex-wrap: wrap; gap: 9px; justify-content: center; margin-top: 10px; }
.drop input { position: absolute; width: 1px; height: 1px; opacity: 0; }
#pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(108px, 1fr)); gap: 10px; margin: 12px 0 0; padding: 0; list-style: none; }
#pictures li { font-size: 11.5px; color: var(--soft); min-width: 0; }
#pictures .frame { aspect-ratio: 4 / 3; border-radius: 9px; overflow: hidden; background: var(--faint); border: 1px solid var(--line); display: grid; place-items: center; }
#pictures img { width: 100%; height: 100%; object-fit: cover; display: block; }
#pictures .frame:empty { animation: pulse 1.2s ease-in-out infinite alternate; }
@keyframes pulse { to { background: var(--line); } }
@media (prefers-reduced-motion: reduce) { #pictures .frame:empty { animation: none; } }
#pictures .frame.bad { background: var(--bad-soft); color: var(--bad); padding: 6px; text-align: center; }
#pictures p { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; margin-top: 3px; }
details { margin-top: 14px; font-size: 13.5px; }
summary { cursor: pointer; color: var(--soft); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; margin-top: 8px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 10px 4px 0; border-top: 1px solid var(--line); font-weight: 400; }
th { color: var(--soft); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
a { color: var(--accent); }
@media (max-width: 900px) { .tiles { grid-template-columns: repeat(3, 1fr); } .columns { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 520px) {
  main, header { padding-left: 12px; padding-right: 12px; }
  header { padding-top: 14px; } .modes { width: 100%; } .modes label { flex: 1; text-align: center; } .modes span { padding: 8px 4px; }
  header fieldset { width: 100%; }
  .tiles { gap: 8px; } .tile { padding: 9px 10px; } .tile dd { font-size: 18px; } .tile dt { font-size: 11.5px; }
  button, .button { padding: 11px 10px; }
}
</style>
</head>
<body>
<header>
  <div>
    <h1>Offload server</h1>
    <p class="state" id="state" role="status"><i></i><span>connecting …</span></p>
  </div>
  <fieldset>
    <legend class="hidden">Where the work runs</legend>
    <div class="modes">
      <label><input type="radio" name="mode" value="processes"><span>Processes</span></label>
      <label><input type="radio" name="mode" value="threads"><span>Threads</span></label>
      <label><input type="radio" name="mode" value="inline"><span>Inline</span></label>
    </div>
  </fieldset>
</header>
<main>
  <dl class="tiles">
    <div class="tile card"><dt>Throughput</dt><dd id="rate">–</dd></div>
    <div class="tile card"><dt>Median, p50</dt><dd id="p50">–</dd></div>
    <div class="tile card"><dt>Slowest, p99</dt><dd id="p99">–</dd></div>
    <div class="tile card" id="ping-tile"><dt>A small request</dt><dd id="ping">–</dd></div>
    <div class="tile card" id="lag-tile"><dt>Loop lag</dt><dd id="lag">–</dd></div>
    <div class="tile card"><dt>Busy, queued</dt><dd id="queue">–</dd></div>
  </dl>

  <section class="card timeline" aria-labelledby="workers-title">
    <div class="head">
      <h2 id="workers-title">Workers</h2>
      <ul class="legend" aria-label="Colours">
        <li><i style="background: var(--thumbnail)"></i>thumbnail</li>
        <li><i style="background: var(--hash)"></i>hash</li>
        <li><i style="background: var(--primes)"></i>primes</li>
        <li><i style="background: var(--slow)"></i>slow task</li>
        <li><i style="background: var(--crash)"></i>worker died</li>
        <li><i style="background: var(--gone)"></i>cancelled</li>
      </ul>
    </div>
    <canvas id="lanes" role="img" aria-label="Timeline of the workers"></canvas>
    <p class="sub">How late the event loop is, in milliseconds</p>
    <canvas id="lagline" role="img" aria-label="Lag of the event loop"></canvas>
  </section>

  <div class="columns">
    <section class="card panel" aria-labelledby="try-title">
      <h2 id="try-title">Try it</h2>
      <p class="soft" id="hint"></p>
      <div class="buttons">
        <button class="primary" id="flood">Flood with work</button>
        <button id="slow">Slow task, 3 s</button>
        <button class="danger" id="crash">Crash a worker</button>
        <button class="danger" id="kill">kill -9 a worker</button>
      </div>
      <ol id="log" role="log" aria-label="What happened"></ol>
      <details>
        <summary>Workers as a table</summary>
        <table><thead><tr><th scope="col">Worker</th><th scope="col">Process</th><th scope="col">State</th></tr></thead><tbody id="table"></tbody></table>
        <p class="soft" id="totals"></p>
        <p><a href="/metrics">Metrics for Prometheus</a></p>
      </details>
    </section>
    <section class="card panel" aria-labelledby="pictures-title">
      <h2 id="pictures-title">Thumbnails</h2>
      <p class="soft">Each picture is decoded and scaled in a worker. One that breaks the decoder costs nobody else anything.</p>
      <div class="drop" id="drop">
        <span>Drop PNG or JPEG pictures here</span>
        <div class="row">
          <label class="button">Choose files<input type="file" id="files" accept="image/png,image/jpeg" multiple></label>
          <button id="samples">Make 12 samples</button>
        </div>
      </div>
      <ul id="pictures" aria-label="Thumbnails"></ul>
    </section>
  </div>
</main>
<script>
'use strict';
const $ = id => document.getElementById(id);
const hints = {
  processes: 'The work runs in child processes. Whatever happens to one of them, the loop stays free and the others go on.',
  threads: 'The work runs in threads of the server. The loop stays free, but a crash would be the end of all.',
  inline: 'The work runs on the event loop. While it runs, nobody is served: watch the small request and the lag.'
};
let mode = '', figures = {}, offset = null, lastMessage = 0;
let spans = [], lags = [], marks = [];
const workers = {processes: new Map(), threads: new Map(), inline: new Map([[0, {}]])};
const keep = 30000; // milliseconds of history

// ---------------------------------------------------------------- what the server tells

function take(e) {
  if (e.k === 'lag') { lags.push([e.t, e.ms]); return; }
  const lane = workers[e.m];
  if (e.k === 'ready') {
    lane.set(e.w, {pid: e.pid});
    marks.push({m: e.m, w: e.w, t: e.t, how: 'ready'});
  } else if (e.k === 'gone') {
    const w = lane.get(e.w);
    if (w && w.pid === e.pid) lane.delete(e.w);
    if (e.how === 'died') { marks.push({m: e.m, w: e.w, t: e.t, how: 'died', pid: e.pid}); note('bad', 'died', `worker ${e.w}, process ${e.pid}`); }
  } else if (e.k === 'begin')
    spans.push({m: e.m, w: e.w, c: e.c, pid: e.pid, from: e.t, to: null, label: e.label});
  else if (e.k === 'end') {
    const s = spans.findLast(s => s.m === e.m && s.c === e.c);
    if (s) { s.to = e.t; s.how = e.how; }
  }
}

function receive(message) {
  const at = performance.now();
  // The clock of the server, as seen here: the earliest arrival counts, so that a late message does not set it back.
  const seen = message.now - at;
  offset = offset === null || Math.abs(seen - offset) > 5000 ? seen : Math.max(offset, seen);
  lastMessage = at;
  message.events.forEach(take);
  figures = message.figures;
  if (mode !== message.mode) {
    mode = message.mode;
    document.querySelector(`input[value=${mode}]`).checked = true;
    $('hint').textContent = hints[mode];
    for (const id of ['crash', 'kill']) $(id).setAttribute('aria-disabled', mode !== 'processes');
  }
  const old = now() - keep;
  spans = spans.filter(s => s.to === null || s.to > old);
  marks = marks.filter(m => m.t > old);
  if (lags.length && lags[0][0] < old) lags = lags.filter(l => l[0] > old);
  show();
}

const now = () => performance.now() + (offset ?? 0);

function connect() {
  const source = new EventSource('/events');
  source.onopen = () => {
    spans = []; marks = []; lags = []; offset = null; mode = '';
    workers.processes.clear(); workers.threads.clear();
    state('live', 'live');
  };
  source.onmessage = e => receive(JSON.parse(e.data));
  source.onerror = () => {
    state('lost', 'the server does not answer; trying again …');
    source.close();
    setTimeout(connect, 1000);
  };
}

function state(kind, text) {
  if ($('state').className !== 'state ' + kind) { $('state').className = 'state ' + kind; $('state').lastChild.textContent = text; }
}

// ---------------------------------------------------------------- figures

const unit = (value, text) => `${value}<small>${text}</small>`;
function ms(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return value >= 1000 ? unit((value / 1000).toFixed(value >= 10000 ? 0 : 1), 's') : unit(value >= 10 ? Math.round(value) : value.toFixed(1), 'ms');
}
let pings = [], pingSince = null;

function show() {
  const lately = now() - 1500;
  const lag = Math.max(0, ...lags.filter(l => l[0] > lately).map(l => l[1]));
  const ping = Math.max(...pings.map(p => p[1]), pingSince === null ? 0 : performance.now() - pingSince);
  $('rate').innerHTML = unit(figures.rate >= 10 ? Math.round(figures.rate) : figures.rate.toFixed(1), '/ s');
  $('p50').innerHTML = figures.rate > 0 ? ms(figures.p50) : '–';
  $('p99').innerHTML = figures.rate > 0 ? ms(figures.p99) : '–';
  $('lag').innerHTML = ms(lag);
  $('ping').innerHTML = pings.length ? ms(ping) : '–';
  $('lag-tile').classList.toggle('warn', lag > 50);
  $('ping-tile').classList.toggle('warn', ping > 100);
  const running = spans.filter(s => s.to === null && s.m === mode).length;
  $('queue').innerHTML = unit(running, `of ${figures.nodes}`) + ' +' + figures.pending;
}

let described = '';
function describe() { // for those who do not see the canvas
  const rows = [];
  const lane = workers[mode];
  if (!lane) return;
  for (let w = 0; w < figures.nodes; ++w) {
    const worker = lane.get(w);
    const span = spans.findLast(s => s.m === mode && s.w === w && s.to === null);
    const text = !worker ? 'starting' : span ? `${span.label} for ${((now() - span.from) / 1000).toFixed(1)} s` : 'idle';
    rows.push([mode === 'inline' ? 'event loop' : 'worker ' + w, worker?.pid ?? '–', text]);
  }
  $('table').replaceChildren(...rows.map(r => {
    const tr = document.createElement('tr');
    r.forEach(c => tr.append(Object.assign(document.createElement('td'), {textContent: c})));
    return tr;
  }));
  $('totals').textContent = `${figures.done} done, ${figures.failed} failed, ${figures.timed_out} timed out, ${figures.lost} lost with ` +
    `their worker, ${figures.cancelled} cancelled; ${figures.died} workers died, ${figures.restarts} were replaced.`;
  const busy = rows.filter(r => r[2] !== 'idle' && r[2] !== 'starting').length;
  const text = `Timeline of the workers: ${busy} of ${rows.length} at work, ${figures.died} died so far`;
  if (text !== described) { described = text; $('lanes').setAttribute('aria-label', text); }
  $('lagline').setAttribute('aria-label', 'Lag of the event loop: ' + $('lag').textContent);
}

// ---------------------------------------------------------------- pictures of time

const gutter = () => innerWidth < 520 ? 62 : 104;
const span = () => innerWidth < 520 ? 8000 : 14000;
const delay = 250; // drawn so late, so that nothing appears in the middle

function prepare(canvas, height) {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.style.height = height + 'px';
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const g = canvas.getContext('2d');
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  return [g, width];
}

let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['thumbnail', 'hash', 'primes', 'slow', 'crash', 'gone', 'line', 'soft', 'text', 'card', 'faint', 'lag', 'lag-area', 'good', 'bad'])
    colours[name] = style.getPropertyValue('--' + name).trim();
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', readColours);
readColours();

function grid(g, left, width, height, end, labels) {
  g.strokeStyle = colours.line; g.lineWidth = 1; g.fillStyle = colours.soft; g.textAlign = 'center';
  for (let t = Math.ceil((end - span()) / 1000) * 1000; t <= end; t += 1000) {
    const x = left + (t - end + span()) / span() * (width - left);
    g.globalAlpha = t % 5000 ? .35 : .9;
    g.beginPath(); g.moveTo(x, 0); g.lineTo(x, height); g.stroke();
  }
  g.globalAlpha = 1;
}

function drawLanes(end) {
  const n = Math.max(1, figures.nodes || 1);
  const row = n <= 4 ? 40 : n <= 10 ? 30 : n <= 20 ? 20 : 14, height = n * row + 8;
  const [g, width] = prepare($('lanes'), height);
  const left = gutter(), scale = (width - left) / span();
  const x = t => left + (t - end + span()) * scale;
  grid(g, left, width, height, end);
  g.save();
  g.beginPath(); g.rect(left, 0, width - left, height); g.clip();
  for (let w = 0; w < n; ++w) {
    g.fillStyle = colours.faint;
    g.globalAlpha = .7;
    g.fillRect(left, w * row + row / 2 + 3, width - left, 1.5);
    g.globalAlpha = 1;
  }
  g.font = '500 12px system-ui, "DejaVu Sans", sans-serif';
  g.textBaseline = 'middle';
  for (const s of spans) {
    if (s.m !== mode || s.w >= n) continue;
    const a = Math.max(x(s.from), left - 8), b = Math.min(x(s.to ?? end), width);
    if (b < left || a > width) continue;
    const bad = s.how === 'died' || s.how === 'timed out';
    g.fillStyle = bad ? colours.crash : s.how === 'cancelled' ? colours.gone : colours[s.label] ?? colours.slow;
    const top = s.w * row + 4 + 4, h = row - 8, wide = Math.max(2, b - a - 1);
    g.beginPath(); g.roundRect(a, top, wide, h, Math.min(5, wide / 2)); g.fill();
    if (wide > 70 && row >= 20) {
      g.fillStyle = colours.card; g.textAlign = 'left';
      const what = s.label + (s.how && s.how !== 'done' ? ', ' + s.how : '');
      const seconds = ((Math.min(s.to ?? end, end) - s.from) / 1000).toFixed(1) + ' s';
      const text = wide > 150 ? what + '  ' + seconds : what;
      g.save(); g.beginPath(); g.rect(a, top, wide - 5, h); g.clip();
      g.fillText(text, Math.max(a, left) + 8, top + h / 2 + .5);
      g.restore();
    }
  }
  for (const m of marks.toSorted((a, b) => (a.how === 'died') - (b.how === 'died'))) {
    if (m.m !== mode || m.w >= n || x(m.t) < left || m.t > end) continue;
    const y = m.w * row + row / 2 + 4;
    if (m.how === 'died') {
      // A badge, which whatever its successor runs cannot hide.
      const text = row >= 30 ? `✕ ${m.pid}` : '✕', wide = g.measureText(text).width + 12, h = Math.min(20, row - 4);
      g.fillStyle = colours.card; g.strokeStyle = colours.bad; g.lineWidth = 1.5;
      const at = Math.max(left + 2, x(m.t) - wide + 4);
      g.beginPath(); g.roundRect(at, y - h / 2, wide, h, h / 2); g.fill(); g.stroke();
      g.fillStyle = colours.bad; g.textAlign = 'left';
      g.fillText(text, at + 6, y + .5);
    } else {
      g.fillStyle = colours.good;
      g.beginPath(); g.arc(x(m.t), y, 3.5, 0, 7); g.fill();
    }
  }
  g.restore();
  g.textAlign = 'left'; g.textBaseline = 'middle';
  for (let w = 0; w < n; ++w) {
    const y = w * row + row / 2 + 4, pid = workers[mode]?.get(w)?.pid, known = workers[mode]?.has(w);
    g.font = '560 12.5px system-ui, "DejaVu Sans", sans-serif'; g.fillStyle = known ? colours.text : colours.soft;
    const two = row >= 30 && mode === 'processes';
    g.fillText(mode === 'inline' ? 'event loop' : (innerWidth < 520 ? 'w ' : 'worker ') + w, innerWidth < 520 ? 10 : 16, two ? y - 8 : y);
    if (two) {
      g.font = '11.5px system-ui, "DejaVu Sans", sans-serif'; g.fillStyle = colours.soft;
      g.fillText(pid ? (innerWidth < 520 ? '' : 'process ') + pid : 'starting', innerWidth < 520 ? 10 : 16, y + 8);
    }
  }
}

function drawLag(end) {
  const height = innerWidth < 520 ? 70 : 84;
  const [g, width] = prepare($('lagline'), height);
  const left = gutter(), scale = (width - left) / span(), begin = end - span();
  grid(g, left, width, height, end);
  const shown = lags.filter(l => l[0] > begin - 500 && l[0] <= end);
  const most = Math.max(20, ...shown.map(l => l[1]));
  const step = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000].find(s => s >= most) ?? most;
  const y = v => height - 6 - Math.min(v, step) / step * (height - 20);
  g.font = '11.5px system-ui, "DejaVu Sans", sans-serif'; g.textBaseline = 'middle'; g.textAlign = 'right'; g.fillStyle = colours.soft;
  for (const v of [0, step / 2, step]) g.fillText(String(v), left - 9, Math.min(height - 8, y(v)));
  g.save(); g.beginPath(); g.rect(left, 0, width - left, height); g.clip();
  if (shown.length > 1) {
    const path = new Path2D();
    shown.forEach((l, i) => {
      const x = left + (l[0] - begin) * scale;
      if (i === 0) { path.moveTo(x, y(l[1])); return; }
      path.lineTo(Math.max(left + (shown[i - 1][0] - begin) * scale, left + (l[0] - l[1] - begin) * scale), y(shown[i - 1][1])); // late since then
      path.lineTo(x, y(l[1]));
    });
    g.strokeStyle = colours.lag; g.lineWidth = 1.8; g.lineJoin = 'round'; g.stroke(path);
    path.lineTo(left + (shown.at(-1)[0] - begin) * scale, height); path.lineTo(left + (shown[0][0] - begin) * scale, height); path.closePath();
    g.fillStyle = colours['lag-area']; g.fill(path);
  }
  g.restore();
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');
let lastDraw = 0;
function draw(at) {
  requestAnimationFrame(draw);
  if (offset === null || (calm.matches && at - lastDraw < 500)) return;
  lastDraw = at;
  const end = now() - delay;
  drawLanes(end);
  drawLag(end);
  if (performance.now() - lastMessage > 1000) $('lag-tile').classList.add('warn'); // nothing comes: the loop is busy
}
requestAnimationFrame(draw);
setInterval(describe, 1000);

// ---------------------------------------------------------------- what a person does

function note(kind, word, text) {
  const li = document.createElement('li');
  li.className = kind;
  li.append(Object.assign(document.createElement('b'), {textContent: word}), Object.assign(document.createElement('span'), {textContent: text}));
  $('log').prepend(li);
  while ($('log').children.length > 6) $('log').lastChild.remove();
}

// A browser has six connections for a server. One listens to the events and one must be free for the small request, so what takes long has
// to share the others.
function gate(places) {
  const waiting = [];
  return async work => {
    if (places > 0) --places;
    else await new Promise(turn => waiting.push(turn));
    try { return await work(); } finally { if (waiting.length) waiting.shift()(); else ++places; }
  };
}
const longOnes = gate(2), pictures = gate(2);

async function post(path, body) {
  const began = performance.now();
  try {
    const answer = await fetch(path, {method: 'POST', body});
    const took = ((performance.now() - began) / 1000).toFixed(1) + ' s';
    const data = await answer.json();
    if (answer.ok) return [data, took];
    note('bad', answer.status, data.message);
  } catch (e) {
    note('bad', 'lost', 'the server did not answer ' + path);
  }
  return [null];
}

document.querySelectorAll('input[name=mode]').forEach(i => i.addEventListener('change', async () => {
  const [data] = await post('/mode?to=' + i.value);
  if (data) note('good', 'ok', `new work goes to ${data.mode === 'inline' ? 'the event loop' : data.mode}`);
}));
$('flood').onclick = async () => {
  const [data] = await post('/flood?tasks=60');
  if (data) note('good', 'ok', `${data.tasks} tasks came at once`);
};
$('slow').onclick = async () => {
  note('note', '…', 'a task that takes three seconds');
  const [data, took] = await longOnes(() => post('/slow?ms=3000'));
  if (data) note('good', 'ok', `the slow task ended after ${took}`);
};
$('crash').onclick = () => longOnes(() => post('/crash'));
$('kill').onclick = async () => {
  const [data] = await post('/kill');
  if (data) note(data.killed ? 'good' : 'bad', 'ok', data.killed ? `killed process ${data.killed}; another one took its place` : 'there was none to kill');
};

async function thumbnail(blob, name) {
  const li = document.createElement('li'), frame = document.createElement('div'), text = document.createElement('p');
  frame.className = 'frame';
  text.textContent = name + ' …';
  li.append(frame, text);
  $('pictures').prepend(li);
  while ($('pictures').children.length > 24) $('pictures').lastChild.remove();
  const began = performance.now();
  try {
    const answer = await fetch('/thumbnail?width=240', {method: 'POST', body: blob});
    if (!answer.ok) throw new Error((await answer.json()).message);
    const img = new Image();
    img.src = URL.createObjectURL(await answer.blob());
    img.alt = 'Thumbnail of ' + name;
    frame.append(img);
    text.textContent = `${name}, ${Math.round(performance.now() - began)} ms`;
  } catch (e) {
    frame.classList.add('bad');
    frame.textContent = e.message;
    text.textContent = name;
  }
}

const thumbnails = list => Promise.all(list.map(([blob, name]) => pictures(async () => thumbnail(await blob(), name))));
const taken = files => thumbnails([...files].map(f => [() => f, f.name]));
$('files').onchange = () => { taken($('files').files); $('files').value = ''; };
$('drop').ondragover = e => { e.preventDefault(); $('drop').classList.add('over'); };
$('drop').ondragleave = () => $('drop').classList.remove('over');
$('drop').ondrop = e => { e.preventDefault(); $('drop').classList.remove('over'); taken(e.dataTransfer.files); };
addEventListener('dragover', e => e.preventDefault());
addEventListener('drop', e => e.preventDefault());

function sample(i) { // a large picture, so that there is something to do
  const c = Object.assign(document.createElement('canvas'), {width: 2000, height: 1500}), g = c.getContext('2d');
  const hue = i * 360 / 12;
  const sky = g.createLinearGradient(0, 0, 0, 1500);
  sky.addColorStop(0, `hsl(${hue} 70% 55%)`); sky.addColorStop(1, `hsl(${hue + 50} 80% 82%)`);
  g.fillStyle = sky; g.fillRect(0, 0, 2000, 1500);
  g.fillStyle = `hsl(${hue + 40} 95% 92%)`; g.beginPath(); g.arc(500 + i * 85, 420, 170, 0, 7); g.fill();
  for (let layer = 0; layer < 4; ++layer) {
    g.fillStyle = `hsl(${hue + 180 + layer * 12} 45% ${46 - layer * 9}%)`; g.beginPath(); g.moveTo(0, 1500);
    for (let x = 0; x <= 2000; x += 20)
      g.lineTo(x, 800 + layer * 160 + Math.sin(x / (170 + layer * 60) + i * 2 + layer) * 110 + Math.sin(x / 57 + i + layer * 3) * 28);
    g.lineTo(2000, 1500); g.fill();
  }
  return new Promise(done => c.toBlob(done, i % 3 ? 'image/jpeg' : 'image/png', .92));
}
$('samples').onclick = () => thumbnails(Array.from({length: 12}, (_, i) => [() => sample(i), `${i % 3 ? 'JPEG' : 'PNG'} ${i + 1}`]));

async function ping() { // what somebody notices who wants something small
  pingSince = performance.now();
  try {
    await (await fetch('/ping', {cache: 'no-store'})).text();
    pings.push([performance.now(), performance.now() - pingSince]);
  } catch { /* the state line says it */ }
  pingSince = null;
  pings = pings.filter((p, i) => p[0] > performance.now() - 3000 || i === pings.length - 1);
  setTimeout(ping, 250);
}
ping();
connect();
</script>
</body>
</html>
)page";

} // namespace offload
