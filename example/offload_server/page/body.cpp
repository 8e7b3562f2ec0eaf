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
  <section class="card seen" aria-labelledby="seen-title">
    <div>
      <h2 id="seen-title">What the workers do</h2>
      <p class="soft">The <a id="monitor" href="/" target="_blank" rel="noopener">monitor</a> shows what each worker runs, for whom and since when, queues, latencies and CPU time, and opens a report of each failure.</p>
    </div>
    <dl><dt>A small request, meanwhile</dt><dd id="ping">–</dd></dl>
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
      <p><a href="/metrics">Metrics for Prometheus</a></p>
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
