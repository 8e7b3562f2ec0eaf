// SPDX-License-Identifier: BSL-1.0
// How the page looks, in light and in dark, on desktops and on phones.
#include "parts.hpp"

namespace offload::page_parts {

const std::string_view style = R"css(
:root {
  --page: #f5f6f8; --card: #ffffff; --line: #dfe3ea; --text: #161b26; --soft: #5a6475; --faint: #eef1f5;
  --accent: #2f5fe0; --accent-text: #ffffff; --raised: #ffffff; --good: #12805c; --bad: #c8283c; --bad-soft: #fdecee;
  --gone: #98a1b0;
  --shadow: 0 1px 2px rgba(16, 24, 40, .06), 0 4px 16px rgba(16, 24, 40, .05);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1117; --card: #171b23; --line: #2a303c; --text: #e8ebf1; --soft: #9aa5b8; --faint: #1e242e;
    --accent: #6d94ff; --accent-text: #0b1020; --raised: #343c4b; --good: #46c79b; --bad: #ff6b7a; --bad-soft: #3a1a20;
    --gone: #6b7486;
    --shadow: none;
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
.purpose { font-size: 13.5px; margin-top: 3px; max-width: 62ch; }
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
dl { margin: 0; }
.seen { display: flex; flex-wrap: wrap; gap: 12px 24px; align-items: center; justify-content: space-between; padding: 14px 16px; margin-bottom: 14px; }
.seen > div { flex: 1 1 20rem; }
.seen p { font-size: 13.5px; margin-top: 3px; max-width: 72ch; }
.seen dt { font-size: 12.5px; color: var(--soft); }
.seen dd { margin: 0; font-size: 21px; font-weight: 640; font-variant-numeric: tabular-nums; }
.seen dd.warn { color: var(--bad); }
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
#pictures .bad { grid-column: 1 / -1; }
#pictures .frame.bad { aspect-ratio: auto; background: var(--bad-soft); color: var(--bad); padding: 6px 10px; justify-items: start; overflow-wrap: anywhere; font-size: 12.5px; }
#pictures p { overflow-wrap: anywhere; margin-top: 3px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
a { color: var(--accent); }
@media (max-width: 900px) { .columns { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 520px) {
  main, header { padding-left: 12px; padding-right: 12px; }
  header { padding-top: 14px; } .modes { width: 100%; } .modes label { flex: 1; text-align: center; } .modes span { padding: 8px 4px; }
  header fieldset { width: 100%; }
  button, .button { padding: 11px 10px; }
}
)css";

} // namespace offload::page_parts
