// SPDX-License-Identifier: BSL-1.0
// Script: the figures, and the words for those who do not see the canvas.
#include "parts.hpp"

namespace offload::page_parts {

const std::string_view figures = R"js(
// ---------------------------------------------------------------- figures

const unit = (value, text) => `${value}<small>${text}</small>`;
function ms(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return value >= 1000 ? unit((value / 1000).toFixed(value >= 10000 ? 0 : 1), 's') : unit(value >= 10 ? Math.round(value) : value.toFixed(1), 'ms');
}
let pings = [], pingSince = null;

function show() {
  const lately = now() - 1500;
  const waiting = silence() > silent ? silence() : 0; // a loop that says nothing is late
  let lag = waiting;
  for (let i = lags.length - 1; i >= 0 && lags[i][0] > lately; --i) lag = Math.max(lag, lags[i][1]);
  const ping = Math.max(...pings.map(p => p[1]), pingSince === null ? 0 : performance.now() - pingSince);
  $('rate').innerHTML = unit(figures.rate >= 10 ? Math.round(figures.rate) : figures.rate.toFixed(1), '/ s');
  $('p50').innerHTML = figures.rate > 0 ? ms(figures.p50) : '–';
  $('p99').innerHTML = figures.rate > 0 ? ms(figures.p99) : '–';
  $('lag').innerHTML = ms(lag);
  $('ping').innerHTML = pings.length ? ms(ping) : '–';
  $('lag-tile').classList.toggle('warn', lag > 50);
  $('ping-tile').classList.toggle('warn', ping > 100);
  let busy = 0;
  for (const s of running.values()) busy += s.m === mode;
  $('queue').innerHTML = unit(busy, `of ${figures.nodes}`) + ' +' + figures.pending;
  for (const id of ['rate', 'p50', 'p99', 'queue']) $(id).parentElement.classList.toggle('old', waiting > 0); // they are of then
}

let described = '';
function describe() { // for those who do not see the canvas
  const rows = [];
  const lane = workers[mode];
  if (!lane) return;
  const at = new Map();
  for (const s of running.values()) if (s.m === mode) at.set(s.w, s);
  for (let w = 0; w < figures.nodes; ++w) {
    const worker = lane.get(w), span = at.get(w);
    const text = silence() > silent ? 'unknown' : !worker ? 'starting' : span ? `${span.label} for ${((now() - span.from) / 1000).toFixed(1)} s` : 'idle';
    rows.push([mode === 'inline' ? 'event loop' : 'worker ' + w, worker?.pid ?? '–', text]);
  }
  $('table').replaceChildren(...rows.map(r => {
    const tr = document.createElement('tr');
    r.forEach(c => tr.append(Object.assign(document.createElement('td'), {textContent: c})));
    return tr;
  }));
  $('totals').textContent = `${figures.done} done, ${figures.failed} failed, ${figures.timed_out} timed out, ${figures.lost} lost with ` +
    `their worker, ${figures.cancelled} cancelled, ${figures.refused} refused; ${figures.died} workers died, ${figures.restarts} were replaced.`;
  const busy = at.size;
  const text = silence() > silent ? 'Timeline of the workers: ' + $('state').textContent : `Timeline of the workers: ${busy} of ${rows.length} at work, ${figures.died} died so far`;
  if (text !== described) { described = text; $('lanes').setAttribute('aria-label', text); }
  $('lagline').setAttribute('aria-label', 'Lag of the event loop: ' + $('lag').textContent);
}
)js";

} // namespace offload::page_parts
