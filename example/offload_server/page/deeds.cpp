// SPDX-License-Identifier: BSL-1.0
// Script: what a person does.
#include "parts.hpp"

namespace offload::page_parts {

const std::string_view deeds = R"js(
// ---------------------------------------------------------------- what a person does

// Refusals come in numbers: those within a few seconds of one another are one line.
let refusals = null;
function noteRefused(count) {
  if (!refusals || $('log').firstChild !== refusals.li || performance.now() - refusals.at > 5000)
    refusals = {li: note('bad', '503', ''), count: 0};
  refusals.at = performance.now();
  refusals.count += count;
  refusals.li.lastChild.textContent = `${refusals.count} ${refusals.count === 1 ? 'request was' : 'requests were'} refused: too many wait already`;
}

function note(kind, word, text) {
  const li = document.createElement('li');
  li.className = kind;
  li.append(Object.assign(document.createElement('b'), {textContent: word}), Object.assign(document.createElement('span'), {textContent: text}));
  $('log').prepend(li);
  while ($('log').children.length > 6) $('log').lastChild.remove();
  return li;
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
    li.className = 'bad';
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
look();
)js";

} // namespace offload::page_parts
