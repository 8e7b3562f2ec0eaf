// SPDX-License-Identifier: BSL-1.0
#include "monitor/texts.hpp"

namespace twat::mp::detail {

std::string_view monitor_page() noexcept
{
    return R"page(<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Pools</title>
<style>
:root{color-scheme:light dark;--line:light-dark(#d5d9de,#3a3f46);--busy:light-dark(#1769aa,#7db8ea);--bad:light-dark(#a3231c,#ff9a92)}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:0}
section{border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:1rem 0}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.5rem 1rem;margin:.7rem 0}
dt{font-size:.85rem}dd{margin:0;font-size:1.2rem;font-variant-numeric:tabular-nums}
.bad dd{color:var(--bad)}meter{width:100%}table{border-collapse:collapse}td,th{padding:.1rem .8rem .1rem 0;text-align:left}
</style>
<h1>Pools</h1><p id="state" role="status">Connecting</p><main id="pools"></main>
<script>
'use strict';
const token=new URLSearchParams(location.search).get('token'),before=new Map();
const make=(tag,text)=>{const e=document.createElement(tag);if(text!==undefined)e.textContent=text;return e};
const ms=t=>t>=1000?(t/1000).toFixed(2)+' s':t.toFixed(t<10?2:0)+' ms';
function show(pool,now){
 const old=before.get(pool.name),ended=pool.done+pool.failed;
 const rate=old?(ended-old.ended)*1000/(now-old.now):0;before.set(pool.name,{ended,now});
 const s=make('section'),h=make('h2',pool.name),m=make('meter');s.append(h,m);
 m.max=Math.max(1,pool.nodes);m.value=pool.busy;m.setAttribute('aria-label','busy workers');
 const d=make('dl');s.append(d);
 const add=(k,v,bad)=>{const g=make('div');g.append(make('dt',k),make('dd',v));if(bad)g.className='bad';d.append(g)};
 add('busy of ready',pool.busy+' / '+pool.ready);add('waiting',pool.pending);add('tasks a second',rate.toFixed(rate<10?1:0));
 add('wait p50, p99',ms(pool.wait_p50_ms)+', '+ms(pool.wait_p99_ms));add('run p50, p99',ms(pool.run_p50_ms)+', '+ms(pool.run_p99_ms));
 add('done',pool.done);add('failed',pool.failed,pool.failed);add('timed out',pool.timed_out,pool.timed_out);add('workers died',pool.died,pool.died);add('refused',pool.refused,pool.refused);
 if(pool.labels.length){const t=make('table'),r=make('tr');r.append(make('th','label'),make('th','tasks'),make('th','CPU'));t.append(r);
  for(const l of pool.labels){const x=make('tr');x.append(make('td',l.label||'(none)'),make('td',l.tasks),make('td',ms(l.cpu_ms)));t.append(x)}s.append(t)}
 return s}
async function turn(){
 const state=document.getElementById('state');
 try{const a=await fetch('pools.json',{headers:token?{Authorization:'Bearer '+token}:{},cache:'no-store'});
  if(!a.ok)throw new Error(a.status+' '+a.statusText);
  const all=(await a.json()).pools,now=performance.now();
  document.getElementById('pools').replaceChildren(...all.map(p=>show(p,now)));
  const text=all.length?'Live':'No pool is watched';if(state.textContent!==text)state.textContent=text}
 catch(e){state.textContent='No answer: '+e.message}
 setTimeout(turn,document.hidden?5000:1000)}
turn();
</script></html>
)page";
}

} // namespace twat::mp::detail
