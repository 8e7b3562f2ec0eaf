// SPDX-License-Identifier: BSL-1.0
// Script: what the server says of itself, and whether it answers.
#include "parts.hpp"

namespace offload::page_parts {

const std::string_view feed = R"js(
const $ = id => document.getElementById(id);
const hints = {
  processes: 'The work runs in child processes. Whatever happens to one of them, the loop stays free and the others go on.',
  cluster: 'The work runs on the agents of other hosts. Whatever happens to one of them, the loop stays free and the others go on.',
  threads: 'The work runs in threads of the server. The loop stays free, but a crash would be the end of all.',
  inline: 'The work runs on the event loop. While it runs, nobody is served: watch the small request.'
};
let mode = '', lastMessage = 0, pings = [], pingSince = null;
const refusedBefore = {};
const silent = 1000; // after so many milliseconds without an answer the page says so

// How long nothing was heard of the server, by the page's own clock.
const silence = () => performance.now() - lastMessage;

function state(kind, text) {
  $('state').className = 'state ' + kind;
  if ($('state').lastChild.textContent !== text) $('state').lastChild.textContent = text;
}

async function look() {
  try {
    const answer = await fetch('/state', {cache: 'no-store'});
    if (!answer.ok) throw new Error(answer.statusText);
    receive(await answer.json());
  } catch {
    lastMessage = 0;
  }
  showState();
  setTimeout(look, 500);
}

function receive(told) {
  lastMessage = performance.now();
  $('monitor').href = told.monitor;
  const local = document.querySelector('input[value=processes]');
  if (told.cluster && local) {
    local.value = 'cluster';
    local.nextElementSibling.textContent = 'Cluster';
  }
  if (mode !== told.mode) {
    mode = told.mode;
    document.querySelector(`input[value=${mode}]`).checked = true;
    $('hint').textContent = hints[mode];
    $('crash').setAttribute('aria-disabled', mode !== 'processes' && mode !== 'cluster');
    $('kill').setAttribute('aria-disabled', mode !== 'processes');
  }
  const before = refusedBefore[mode] ?? told.refused;
  refusedBefore[mode] = told.refused;
  if (told.refused > before) noteRefused(told.refused - before);
}

const ms = value => value >= 1000 ? (value / 1000).toFixed(1) + ' s' : value >= 10 ? Math.round(value) + ' ms' : value.toFixed(1) + ' ms';
function showState() {
  const waits = pingSince === null ? 0 : performance.now() - pingSince;
  if (lastMessage === 0) state('lost', 'the server does not answer; trying again …');
  else if (silence() > silent) state('lost', `no word from the server for ${Math.floor(silence() / 1000)} s`);
  else state('live', 'live');
  const slowest = Math.max(waits, ...pings.map(p => p[1]));
  $('ping').textContent = pings.length ? ms(slowest) : '–';
  $('ping').classList.toggle('warn', slowest > 100);
}
setInterval(showState, 250);
)js";

} // namespace offload::page_parts
