// SPDX-License-Identifier: BSL-1.0
// Script: listens to /events, and keeps what it tells.
#include "parts.hpp"

namespace offload::page_parts {

const std::string_view feed = R"js(
const $ = id => document.getElementById(id);
const hints = {
  processes: 'The work runs in child processes. Whatever happens to one of them, the loop stays free and the others go on.',
  threads: 'The work runs in threads of the server. The loop stays free, but a crash would be the end of all.',
  inline: 'The work runs on the event loop. While it runs, nobody is served: watch the small request and the lag.'
};
let mode = '', figures = {}, offset = null, lastMessage = 0, connected = false;
let spans = [], lags = [], marks = []; // what has ended, how late the loop was, workers that died or came
const running = new Map(), lastOfLane = new Map();
let refusedBefore = {};
const workers = {processes: new Map(), threads: new Map(), inline: new Map([[0, {}]])};
const keep = 30000; // milliseconds of history
const silent = 1000; // after so many milliseconds without a message the page says so

// ---------------------------------------------------------------- what the server tells

function take(e) {
  if (e.k === 'lag') {
    // Of the samples that share a pixel the latest is enough.
    const last = lags.at(-1);
    if (last && e.t - last[0] < millisecondsPerPixel() && e.ms <= last[1]) return;
    lags.push([e.t, e.ms]);
    return;
  }
  const lane = workers[e.m];
  if (e.k === 'ready') {
    lane.set(e.w, {pid: e.pid});
    marks.push({m: e.m, w: e.w, t: e.t, how: 'ready'});
  } else if (e.k === 'gone') {
    const w = lane.get(e.w);
    if (w && w.pid === e.pid) lane.delete(e.w);
    if (e.how === 'died') { marks.push({m: e.m, w: e.w, t: e.t, how: 'died', pid: e.pid}); note('bad', 'died', `worker ${e.w}, process ${e.pid}`); }
  } else if (e.k === 'begin')
    running.set(e.m + e.c, {m: e.m, w: e.w, from: e.t, to: null, label: e.label, n: 1});
  else if (e.k === 'end') {
    const s = running.get(e.m + e.c);
    if (!s) return;
    running.delete(e.m + e.c);
    s.to = e.t; s.how = e.how; s.busy = s.to - s.from;
    merge(s);
  }
}

// Thousands of small tasks a second would be thousands of bars in a few pixels: those that end within a pixel of the last one of their lane are
// one bar, which knows how many they are and for how much of its time the worker was busy.
function merge(s) {
  const lane = s.m + s.w, last = lastOfLane.get(lane), pixel = millisecondsPerPixel();
  if (last && last.label === s.label && last.how === 'done' && s.how === 'done' && s.from - last.to < pixel && s.busy < 2 * pixel &&
      last.busy < 2 * pixel * last.n && s.to - last.from < 1000) {
    last.to = s.to; last.busy += s.busy; ++last.n;
    return;
  }
  spans.push(s);
  lastOfLane.set(lane, s);
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
  tellRefused();
  show();
}

// Refused work leaves no bar in the timeline.
function tellRefused() {
  const before = refusedBefore[mode] ?? figures.refused;
  refusedBefore[mode] = figures.refused;
  if (figures.refused > before) noteRefused(figures.refused - before);
}

// How long nothing was heard of the server, by the page's own clock.
const silence = () => lastMessage ? performance.now() - lastMessage : 0;

const now = () => performance.now() + (offset ?? 0);

function connect() {
  const source = new EventSource('/events');
  source.onopen = () => {
    spans = []; marks = []; lags = []; offset = null; mode = ''; refusedBefore = {};
    running.clear(); lastOfLane.clear();
    workers.processes.clear(); workers.threads.clear();
    connected = true;
    lastMessage = performance.now();
    showState();
  };
  source.onmessage = e => receive(JSON.parse(e.data));
  source.onerror = () => {
    connected = false;
    state('lost', 'the server does not answer; trying again …');
    source.close();
    setTimeout(connect, 1000);
  };
}

function state(kind, text) {
  $('state').className = 'state ' + kind;
  if ($('state').lastChild.textContent !== text) $('state').lastChild.textContent = text;
}

function showState() {
  if (!connected) return;
  if (silence() > silent) state('lost', `no word from the server for ${Math.floor(silence() / 1000)} s`);
  else state('live', 'live');
}
)js";

} // namespace offload::page_parts
