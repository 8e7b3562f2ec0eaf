'use strict';
// The monitor makes the same frame for all viewers, a few times a second. The page asks for the next one when it has shown the last, so a page or a
// line that is slow misses frames. What is kept for the pictures has a bound: a cell for each worker and quarter of a second of the last minute.

const $ = id => document.getElementById(id);
const columns = 240, columnMs = 250, rowHeight = 28, slidingRow = 10, mostNamed = 32, mostInTable = 200;
const askEvery = 250, askEveryHidden = 5000, patience = 10000;
const palette = matchMedia('(prefers-color-scheme: dark)').matches
  ? ['#79b8f2', '#7cc9a2', '#d9a066', '#b59be6', '#6fc3cf', '#d58ab5'] : ['#2f78bd', '#2f8f63', '#b8701c', '#7b5cc0', '#1f8593', '#b0508a'];
const dark = matchMedia('(prefers-color-scheme: dark)');
const dead = () => dark.matches ? '#ff8f85' : '#b3261e';

// ---------------------------------------------------------------- the monitor

let token = new URLSearchParams(location.search).get('token') ?? sessionStorage.getItem('token') ?? '';
if (location.search.includes('token=')) history.replaceState(null, '', location.pathname); // not into bookmarks, not over a shoulder
if (token) sessionStorage.setItem('token', token);

async function ask(path, options = {}) {
  const headers = token ? {Authorization: 'Bearer ' + token} : {};
  const answer = await fetch(path, {headers, cache: 'no-store', ...options});
  if (answer.status === 401) { $('ask-token').hidden = false; throw new Error('it asks for its token'); }
  if (!answer.ok) throw new Error((await answer.text()).trim() || answer.statusText);
  $('ask-token').hidden = true;
  return answer;
}
const at = (path, pool, id) => path + '?pool=' + encodeURIComponent(pool) + (id ? '&id=' + id : '');

$('ask-token').onsubmit = e => {
  e.preventDefault();
  token = $('token').value;
  sessionStorage.setItem('token', token);
  $('token').value = '';
};

async function save(answer, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// ---------------------------------------------------------------- words

const duration = ms => ms >= 3600000 ? (ms / 3600000).toFixed(1) + ' h' : ms >= 60000 ? (ms / 60000).toFixed(1) + ' min'
  : ms >= 1000 ? (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + ' s' : ms >= 10 ? ms.toFixed(0) + ' ms' : ms >= .1 ? ms.toFixed(2) + ' ms' : (ms * 1000).toFixed(0) + ' µs';
const ago = ms => ms < 1000 ? 'now' : ms < 60000 ? Math.floor(ms / 1000) + ' s ago' : ms < 3600000 ? Math.floor(ms / 60000) + ' min ago' : Math.floor(ms / 3600000) + ' h ago';
const bytes = n => n >= 1 << 30 ? (n / (1 << 30)).toFixed(2) + ' GiB' : n >= 1 << 20 ? (n / (1 << 20)).toFixed(n < 10 << 20 ? 1 : 0) + ' MiB' : (n / 1024).toFixed(0) + ' KiB';
const count = n => n.toLocaleString('en');
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? '' : 's'}`;
function put(element, text) { if (element.textContent !== String(text)) element.textContent = text; }
function make(tag, text, name) {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (name) e.className = name;
  return e;
}

// A worker of a frame.
const read = w => ({node: w[0], pid: w[1], ready: w[2], running: w[3], label: w[4] || 'task', ms: w[5], tenant: w[6], first: w[7], count: w[8], tasks: w[9], busy: w[10], died: w[11], memory: w[12],
  host: w[13] ?? '', key: w.length > 13 ? w[13] + '\n' + w[0] : w[0]});

// The workers of each host under a row with its name; as they are if there is but this host.
function rowsOf(workers) {
  const hosts = new Map();
  for (const w of workers) hosts.set(w.host, [...hosts.get(w.host) ?? [], w]);
  return [...hosts].flatMap(([host, all]) => host ? [{heading: host, workers: all}, ...all] : all);
}
function tasks(w) {
  return w.count > 1 ? `${count(w.first)}–${count(w.first + w.count - 1)}` : count(w.first);
}

// ---------------------------------------------------------------- a pool

const shown = new Map();

class Shown {
  constructor(name) {
    this.name = name;
    this.root = $('pool').content.cloneNode(true).firstElementChild;
    this.find = selector => this.root.querySelector(selector);
    this.before = null;      // the workers of the last frame
    this.column = null;      // of time, the last that has cells
    this.cells = new Map();  // by worker: what it did in each column, as [share of time busy, label]
    this.labels = [];        // in the order in which they were seen; the place is the colour
    this.open = new Map();   // failures, by number
    this.picture = document.createElement('canvas');
    this.find('h2').textContent = name;
    this.find('.dump').onclick = e => this.dump(e.currentTarget);
    this.find('.record').onclick = e => this.record(e.currentTarget);
  }

  colour(label) {
    let i = this.labels.indexOf(label);
    if (i < 0) i = this.labels.push(label) - 1;
    return i % palette.length;
  }

  show(pool, frame) {
    const workers = pool.workers.map(read);
    this.remember(workers, frame.now_ms);
    put(this.find('.summary'), `${plural(pool.nodes, 'worker')}, ${count(pool.ready)} ready, ${count(pool.busy)} busy`);
    const figure = (of, text) => put(this.find(`[data-of=${of}]`), text);
    figure('rate', pool.rate < 10 ? pool.rate.toFixed(1) : count(Math.round(pool.rate)));
    const recent = pool.recent > 0;
    figure('run50', recent ? duration(pool.run_p50_ms) : '–');
    figure('run99', recent ? duration(pool.run_p99_ms) : '–');
    figure('wait99', recent ? duration(pool.wait_p99_ms) : '–');
    figure('queued', count(pool.pending));
    const memory = workers.reduce((sum, w) => sum + w.memory, 0);
    figure('memory', memory ? bytes(memory) : '–');
    const totals = [`${count(pool.done)} done`, pool.failed && `${count(pool.failed)} failed`, pool.timed_out && `${count(pool.timed_out)} of them timed out`,
      pool.lost && `${count(pool.lost)} with their worker`, pool.cancelled && `${count(pool.cancelled)} cancelled`, pool.refused && `${count(pool.refused)} refused`,
      pool.died && `${plural(pool.died, 'worker')} died`];
    put(this.find('.totals'), totals.filter(Boolean).join(' · '));
    for (const what of ['dump', 'record']) this.find('.' + what).hidden = !frame.can.includes(what);
    this.find('.record').disabled = frame.recording || this.records === true;
    this.showLanes(pool, workers);
    if (this.find('.all').open) this.showTable(workers);
    this.showBill(pool.labels);
    this.showFailures(pool.failures, frame.can.includes('parcel'));
  }

  // How busy each worker was since the last frame, as cells of time.
  remember(workers, now) {
    const column = Math.floor(now / columnMs), fresh = this.column === null ? 1 : Math.min(columns, column - this.column);
    const there = new Set();
    for (const w of workers) {
      there.add(w.key);
      const cells = this.cells.get(w.key) ?? new Array(columns).fill(null);
      this.cells.set(w.key, cells);
      const old = this.before?.get(w.key), passed = now - (this.now ?? now);
      const share = old && passed > 0 ? Math.max(0, Math.min(1, (w.busy - old.busy) / passed)) : w.running ? 1 : 0;
      const cell = old && w.died > old.died ? [1, -1] : share > 0 ? [share, this.colour(w.label)] : null;
      // frames that share a column: a death stays, the busiest counts
      if (fresh === 0 && cell) {
        const last = cells[columns - 1];
        if (!last || cell[1] < 0 || (last[1] >= 0 && cell[0] > last[0])) cells[columns - 1] = cell;
      }
      for (let i = 0; i < fresh; ++i) { cells.shift(); cells.push(cell); }
    }
    for (const key of this.cells.keys()) if (!there.has(key)) this.cells.delete(key);
    this.before = new Map(workers.map(w => [w.key, w]));
    this.column = column;
    this.now = now;
  }

  showLanes(pool, workers) {
    const dense = workers.length > mostNamed, lanes = this.find('.lanes'), canvas = this.find('canvas'), rows = rowsOf(workers);
    const hosts = rows.filter(r => r.heading);
    lanes.classList.toggle('dense', dense);
    lanes.classList.toggle('hosted', hosts.length > 0);
    const row = dense ? (workers.length > 120 ? 4 : 10) : rowHeight;
    const height = Math.max(row, rows.length * row);
    if (this.height !== height) canvas.style.height = (this.height = height) + 'px';
    this.row = row;
    const longest = workers.filter(w => w.running).sort((a, b) => b.ms - a.ms)[0];
    canvas.setAttribute('aria-label', `Timeline of ${plural(workers.length, 'worker')}${hosts.length ? ` on ${plural(hosts.length, 'host')}` : ''}: ${pool.busy} busy` +
      (longest ? `, the longest runs ${longest.label} for ${duration(longest.ms)}` : ''));
    if (dense)
      // without words for each worker, but a name beside those of each host
      this.list('.names', hosts, h => [h.heading, ''], h => (h.workers.length + 1) * row);
    else {
      this.list('.names', rows, w => w.heading ? [w.heading, ''] : [String(w.node), w.pid ? String(w.pid) : '']);
      this.list('.runs', rows, w => w.heading ? ['', `${w.workers.filter(one => one.running).length} of ${w.workers.length} busy`] : w.running ? [w.label, ` ${duration(w.ms)}` + (w.tenant ? ` · tenant ${w.tenant}` : '') + ` · task ${tasks(w)}`]
        : ['', w.ready ? 'idle' : 'absent']);
    }
    this.paint(rows);
    // the place of the scale is below the picture
    const scale = this.find('.scale').style;
    scale.marginLeft = canvas.offsetLeft - lanes.offsetLeft + 'px';
    scale.width = canvas.clientWidth + 'px';
    const legend = this.find('.legend'), wanted = this.labels.slice(0, palette.length).map((label, i) => [label, palette[i]]);
    if (pool.died) wanted.push(['worker died', dead()]);
    if (legend.children.length !== wanted.length)
      legend.replaceChildren(...wanted.map(([label, colour]) => {
        const li = make('li'), dot = make('i');
        dot.style.background = colour;
        li.append(dot, label);
        return li;
      }));
  }

  list(selector, rows, texts, height) {
    const list = this.find(selector);
    while (list.children.length > rows.length) list.lastChild.remove();
    while (list.children.length < rows.length) { const li = make('li'); li.append(make('b'), make('span')); list.append(li); }
    rows.forEach((r, i) => {
      const li = list.children[i], [strong, soft] = texts(r), tall = height ? height(r) + 'px' : '';
      li.classList.toggle('host', r.heading !== undefined);
      if (li.style.height !== tall) li.style.height = tall;
      put(li.firstChild, strong);
      put(li.lastChild, soft);
    });
  }

  // A pixel for each cell; the browser makes it as large as it has to be.
  paint(rows) {
    const n = Math.max(1, rows.length), picture = this.picture;
    picture.width = columns;
    picture.height = n;
    const g = picture.getContext('2d'), image = g.createImageData(columns, n);
    const rgb = [...palette, dead()].map(c => [1, 3, 5].map(i => parseInt(c.slice(i, i + 2), 16)));
    rows.forEach((w, y) => this.cells.get(w.key)?.forEach((cell, x) => {
      if (!cell) return;
      const [red, green, blue] = rgb[cell[1] < 0 ? palette.length : cell[1]], i = (y * columns + x) * 4;
      image.data[i] = red; image.data[i + 1] = green; image.data[i + 2] = blue; image.data[i + 3] = 60 + 195 * cell[0];
    }));
    g.putImageData(image, 0, 0);
    this.draw();
  }

  // The picture slides on between two frames.
  draw() {
    const canvas = this.find('canvas'), ratio = Math.min(2, devicePixelRatio || 1), width = Math.round(canvas.clientWidth * ratio), height = Math.round(this.height * ratio);
    if (!width || !this.now) return;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const g = canvas.getContext('2d'), cell = width / columns;
    const slide = calm.matches || this.row < slidingRow ? 0 : Math.min(1, (performance.now() - lastFrame) / columnMs) * cell;
    g.clearRect(0, 0, width, height);
    g.fillStyle = dark.matches ? '#23282d' : '#f0f2f4';
    const row = this.row * ratio, gap = this.row >= 10 ? Math.round(this.row * .11 * ratio) : 0;
    g.fillRect(0, 0, width, height);
    g.imageSmoothingEnabled = false;
    g.drawImage(this.picture, -slide, 0, width, height);
    if (gap) for (let y = 0; y <= height; y += row) g.clearRect(0, y - gap, width, 2 * gap);
  }

  showTable(workers) {
    const hosted = workers.some(w => w.host);
    this.find('.all .host').hidden = !hosted;
    const rows = workers.slice(0, mostInTable).map(w => {
      const tr = make('tr');
      if (hosted) tr.append(make('td', w.host));
      tr.append(make('td', w.node), make('td', w.pid || '–'), make('td', w.running ? `${w.label}, task ${tasks(w)}` : w.ready ? 'idle' : 'absent'),
        make('td', w.running ? duration(w.ms) : '', 'number'), make('td', w.running && w.tenant ? w.tenant : '', 'number'), make('td', count(w.tasks), 'number'),
        make('td', w.memory ? bytes(w.memory) : '–', 'number'), make('td', w.died || '', 'number'));
      return tr;
    });
    if (workers.length > mostInTable) {
      const more = make('td', `and ${workers.length - mostInTable} more`);
      more.colSpan = 9;
      rows.push(make('tr'));
      rows.at(-1).append(more);
    }
    this.find('.workers').replaceChildren(...rows);
  }

  showBill(labels) {
    this.find('.bill').hidden = labels.length === 0;
    if (!this.find('.bill').open) return;
    this.find('.labels').replaceChildren(...labels.map(l => {
      const tr = make('tr');
      tr.append(make('td', l.label || '(none)'), make('td', count(l.tasks), 'number'), make('td', duration(l.cpu_ms), 'number'));
      return tr;
    }));
  }

  // ---------------------------------------------------------------- failures

  showFailures(failures, parcels) {
    this.find('.failed').hidden = failures.length === 0;
    const list = this.find('.failures'), wanted = new Set(failures.map(f => f.id));
    for (const [id, li] of this.open)
      // one that is being read stays, though the monitor has forgotten it
      if (!wanted.has(id) && !li.querySelector('details').open) { li.remove(); this.open.delete(id); }
    for (const f of [...failures].reverse()) {
      let li = this.open.get(f.id);
      if (!li) {
        li = this.failure(f, parcels);
        this.open.set(f.id, li);
        list.prepend(li);
      }
      put(li.querySelector('time'), ago(f.ago_ms));
    }
  }

  failure(f, parcels) {
    const li = $('failure').content.cloneNode(true).firstElementChild, find = selector => li.querySelector(selector);
    find('b').textContent = f.how;
    find('.where').textContent = `${f.label ? f.label + ', ' : ''}task ${count(f.task)}` + (f.worker === undefined ? '' : `, worker ${f.worker}`) + (f.host ? ` on ${f.host}` : '');
    find('.what').textContent = f.what;
    const details = find('details');
    details.addEventListener('toggle', async () => {
      if (!details.open || li.asked) return;
      li.asked = true;
      try {
        const report = await (await ask(at('report', this.name, f.id))).json();
        find('.message').textContent = report.what === f.what ? '' : report.what;
        find('.facts').textContent = [f.host && `worker ${f.worker} on ${f.host}`, f.tenant && `tenant ${f.tenant}`, f.pid && `process ${f.pid}`].filter(Boolean).join(' · ');
        find('.stack').textContent = report.stack;
        find('.stack').hidden = find('.for-stack').hidden = !report.stack;
        find('.details').textContent = report.details;
        find('.command').textContent = report.replay;
        find('.again').hidden = !report.replay && !report.parcel;
        find('.download').hidden = !report.parcel;
        find('.copy').onclick = () => navigator.clipboard.writeText(report.replay);
        find('.download').onclick = async () => save(await ask(at('parcel', this.name, f.id)), report.parcel);
        find('.waiting').hidden = true;
      } catch (e) {
        find('.waiting').textContent = e.message;
        li.asked = false;
      }
    });
    return li;
  }

  // ---------------------------------------------------------------- what a person asks for

  async dump(button) {
    button.disabled = true;
    try {
      $('dump-text').textContent = await (await ask(at('dump', this.name), {method: 'POST'})).text();
    } catch (e) {
      $('dump-text').textContent = e.message;
    }
    $('dump-title').textContent = 'Stacks of ' + this.name;
    $('dump').showModal();
    button.disabled = false;
  }

  async record(button) {
    this.records = true;
    button.textContent = 'Recording …';
    try {
      await save(await ask(at('record', this.name), {method: 'POST'}), this.name.replace(/[^\w-]/g, '_') + '.json');
      button.textContent = 'Record 10 s';
    } catch (e) {
      button.textContent = e.message;
    }
    this.records = false;
  }
}
$('close-dump').onclick = () => $('dump').close();

// ---------------------------------------------------------------- all of it

const calm = matchMedia('(prefers-reduced-motion: reduce)');
let lastFrame = 0, heard = performance.now();

function state(kind, text) {
  $('state').className = kind;
  put($('state').lastChild, text);
}

function show(frame) {
  lastFrame = performance.now();
  put($('pid'), frame.pid);
  put($('memory'), bytes(frame.memory));
  put($('lag'), duration(frame.lag_ms));
  $('lag-figure').classList.toggle('late', frame.lag_ms > 100);
  $('none').hidden = frame.pools.length !== 0;
  const names = new Set(frame.pools.map(p => p.name));
  for (const [name, pool] of shown) if (!names.has(name)) { pool.root.remove(); shown.delete(name); }
  for (const pool of frame.pools) {
    let one = shown.get(pool.name);
    if (!one) {
      shown.set(pool.name, one = new Shown(pool.name));
      $('pools').append(one.root);
    }
    one.show(pool, frame);
  }
}

async function turn() {
  try {
    const frame = await (await ask('frame.json', {signal: AbortSignal.timeout(patience)})).json();
    heard = performance.now();
    show(frame);
    state('live', 'Live');
  } catch (e) {
    state('lost', `No answer for ${Math.round((performance.now() - heard) / 1000)} s: ${e.message}`);
  }
  setTimeout(turn, document.hidden ? askEveryHidden : askEvery);
}

function slide() {
  // a picture of hundreds of lanes is large: it is drawn when there is something new
  if (!calm.matches) for (const pool of shown.values()) if (pool.row >= slidingRow) pool.draw();
  requestAnimationFrame(slide);
}
dark.addEventListener('change', () => location.reload());
turn();
slide();
