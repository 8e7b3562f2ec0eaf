// SPDX-License-Identifier: BSL-1.0
// Script: draws what the workers do and how late the event loop is.
#include "parts.hpp"

namespace offload::page_parts {

const std::string_view timeline = R"js(
// ---------------------------------------------------------------- pictures of time

const gutter = () => innerWidth < 520 ? 62 : 104;
const span = () => innerWidth < 520 ? 8000 : 14000;
const delay = 250; // drawn so late, so that nothing appears in the middle
const scaleHeight = 20;
function millisecondsPerPixel() { return span() / Math.max(200, $('lanes').clientWidth - gutter()); }

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

// A line for each second; the scale below says how long ago it was.
function grid(g, left, width, height, labelled) {
  const every = span() > 10000 ? 5 : 2;
  g.strokeStyle = colours.line; g.lineWidth = 1;
  g.font = '11.5px system-ui, "DejaVu Sans", sans-serif'; g.textBaseline = 'middle';
  for (let s = 0; s * 1000 <= span(); ++s) {
    const x = width - s * 1000 / span() * (width - left);
    g.globalAlpha = s % every ? .35 : .9;
    g.beginPath(); g.moveTo(x, 0); g.lineTo(x, height); g.stroke();
    g.globalAlpha = 1;
    if (!labelled || s % every) continue;
    g.fillStyle = colours.soft; g.textAlign = s ? 'center' : 'right';
    const when = innerWidth < 520 ? `−${s} s` : `${s} s ago`;
    g.fillText(s ? when : 'now', s ? x : x - 8, height + scaleHeight / 2);
  }
}

// What happens there is not known.
function unknown(g, from, width, height) {
  if (from >= width) return;
  g.save();
  g.beginPath(); g.rect(from, 0, width - from, height); g.clip();
  g.fillStyle = colours.faint; g.globalAlpha = .75; g.fillRect(from, 0, width - from, height);
  g.globalAlpha = 1; g.strokeStyle = colours.line; g.lineWidth = 1.5;
  g.beginPath();
  for (let x = from - height; x < width; x += 9) { g.moveTo(x, height); g.lineTo(x + height, 0); }
  g.stroke();
  const text = `no word for ${Math.floor(silence() / 1000)} s`;
  g.font = '600 12.5px system-ui, "DejaVu Sans", sans-serif'; g.textAlign = 'right'; g.textBaseline = 'middle';
  const wide = g.measureText(text).width + 16;
  if (wide < width - from) {
    g.fillStyle = colours.card; g.beginPath(); g.roundRect(width - wide - 8, height / 2 - 11, wide, 22, 11); g.fill();
    g.fillStyle = colours.bad; g.fillText(text, width - 16, height / 2 + .5);
  }
  g.restore();
}

// A badge for each death; deaths whose badges would overlap share one, which counts them.
function badges(g, x, left, row, n, end) {
  const all = [], next = new Map(); // by lane, the badge to the right
  for (const m of marks.filter(m => m.how === 'died' && m.m === mode && m.w < n && m.t <= end && x(m.t) >= left).sort((a, b) => b.t - a.t)) {
    const text = count => count > 1 ? `✕ ${count}` + (row >= 30 ? ' died' : '') : row >= 30 ? `✕ ${m.pid}` : '✕';
    const right = next.get(m.w);
    if (right && x(m.t) + 4 > right.from - 2) {
      right.text = text(++right.count);
      const wide = g.measureText(right.text).width + 12;
      right.from = Math.max(left + 2, right.from + right.wide - wide);
      right.wide = wide;
      continue;
    }
    const wide = g.measureText(text(1)).width + 12;
    const badge = {w: m.w, count: 1, text: text(1), wide, from: Math.max(left + 2, x(m.t) - wide + 4)};
    all.push(badge);
    next.set(m.w, badge);
  }
  return all;
}

function drawLanes(end) {
  const n = Math.max(1, figures.nodes || 1);
  const row = n <= 4 ? 40 : n <= 10 ? 30 : n <= 20 ? 20 : 14, height = n * row + 8;
  const [g, width] = prepare($('lanes'), height + scaleHeight);
  const left = gutter(), scale = (width - left) / span();
  const x = t => left + (t - end + span()) * scale;
  grid(g, left, width, height, true);
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
  for (const s of [...spans, ...running.values()]) {
    if (s.m !== mode || s.w >= n) continue;
    const a = Math.max(x(s.from), left - 8), b = Math.min(x(s.to ?? end), width);
    if (b < left || a > width) continue;
    const bad = s.how === 'died' || s.how === 'timed out';
    g.fillStyle = bad ? colours.crash : s.how === 'cancelled' ? colours.gone : colours[s.label] ?? colours.slow;
    const top = s.w * row + 4 + 4, h = row - 8, wide = Math.max(2, b - a - 1);
    if (s.n > 1) g.globalAlpha = .25 + .75 * Math.min(1, s.busy / (s.to - s.from));
    if (wide < 4) g.fillRect(a, top, wide, h);
    else { g.beginPath(); g.roundRect(a, top, wide, h, Math.min(5, wide / 2)); g.fill(); }
    g.globalAlpha = 1;
    if (wide > 70 && row >= 20) {
      g.fillStyle = colours.card; g.textAlign = 'left';
      const what = s.label + (s.n > 1 ? ' × ' + s.n : '') + (s.how && s.how !== 'done' ? ', ' + s.how : '');
      const seconds = ((Math.min(s.to ?? end, end) - s.from) / 1000).toFixed(1) + ' s';
      const text = wide > 150 ? what + '  ' + seconds : what;
      g.save(); g.beginPath(); g.rect(a, top, wide - 5, h); g.clip();
      g.fillText(text, Math.max(a, left) + 8, top + h / 2 + .5);
      g.restore();
    }
  }
  for (const m of marks) {
    if (m.how !== 'ready' || m.m !== mode || m.w >= n || x(m.t) < left || m.t > end) continue;
    g.fillStyle = colours.good;
    g.beginPath(); g.arc(x(m.t), m.w * row + row / 2 + 4, 3.5, 0, 7); g.fill();
  }
  for (const b of badges(g, x, left, row, n, end)) {
    // Whatever the successor of the dead runs cannot hide it.
    const y = b.w * row + row / 2 + 4, h = Math.min(20, row - 4);
    g.fillStyle = colours.card; g.strokeStyle = colours.bad; g.lineWidth = 1.5;
    g.beginPath(); g.roundRect(b.from, y - h / 2, b.wide, h, h / 2); g.fill(); g.stroke();
    g.fillStyle = colours.bad; g.textAlign = 'left';
    g.fillText(b.text, b.from + 6, y + .5);
  }
  g.restore();
  if (silence() > silent) {
    g.save();
    g.beginPath(); g.rect(left, 0, width - left, height); g.clip();
    unknown(g, Math.max(left, x(lastMessage + offset)), width, height);
    g.restore();
  }
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
  grid(g, left, width, height, false);
  const shown = lags.filter(l => l[0] > begin - 500 && l[0] <= end);
  if (silence() > silent && shown.length) shown.push([end, Math.max(0, end - shown.at(-1)[0])]); // the next sample is late already
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
}
requestAnimationFrame(draw);
setInterval(() => { showState(); if (offset !== null && silence() > silent) show(); }, 250);
setInterval(describe, 1000);
)js";

} // namespace offload::page_parts
