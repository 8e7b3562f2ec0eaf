// SPDX-License-Identifier: BSL-1.0
// What the page consists of.
#include "parts.hpp"

namespace offload::page_parts {

const std::string_view body = R"html(
</head>
<body>
<header>
  <div>
    <h1>Offload server</h1>
    <p class="soft purpose">Scales pictures, hashes passwords and finds primes in worker processes, so that a task that hangs or crashes holds up nobody else.</p>
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
)html";

} // namespace offload::page_parts
