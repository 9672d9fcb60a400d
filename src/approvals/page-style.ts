/** The one style sheet, `/style.css`: light and dark, and readable on a phone. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f6f6f3; --paper: #ffffff; --ink: #1c2321; --soft: #56605d; --line: #d9dcd8;
  --accent: #1f5f54; --on-accent: #ffffff; --link: #17594e; --focus: #b8560f;
  --no: #9a1f1f; --no-ground: #fdeeec; --warn-ground: #fff4dd; --warn-line: #d9a441; --claim: #f0f1ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #141817; --paper: #1c2220; --ink: #e8ebe9; --soft: #a3adaa; --line: #38413e;
    --accent: #6fc7b5; --on-accent: #0c1f1b; --link: #86d5c4; --focus: #ffb066;
    --no: #ff9d94; --no-ground: #38211f; --warn-ground: #352b16; --warn-line: #a67c2d; --claim: #232a28;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, "Segoe UI", "Liberation Sans", sans-serif; overflow-wrap: anywhere; }
header, main { max-width: 46rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; padding-block: 1rem; }
header form { display: flex; align-items: center; gap: .75rem; color: var(--soft); }
main { padding-bottom: 4rem; }
.home { font-weight: 650; letter-spacing: .01em; text-decoration: none; color: inherit; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .5rem 1rem; }
a { color: var(--link); text-underline-offset: .18em; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 1.25rem 0 1rem; text-wrap: balance; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
p { margin: 0 0 .75rem; }
section, .review { margin: 2rem 0; }
code { font: .9em/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
bdi, blockquote { overflow: clip; overflow-clip-margin: .2em; }
.small, .empty { color: var(--soft); font-size: .9rem; }
form + .small { margin-top: 1rem; }
.count { display: inline-block; min-width: 1.6em; padding: 0 .45em; border-radius: 1em; background: var(--line); font-size: .85rem; text-align: center; }

article { margin-top: .5rem; padding: .25rem 1.5rem 1rem; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; }
table { width: 100%; table-layout: fixed; border-collapse: collapse; }
caption { text-align: start; color: var(--soft); font-size: .9rem; padding-bottom: .4rem; }
th, td { padding: .45rem .75rem .45rem 0; border-top: 1px solid var(--line); text-align: start; vertical-align: baseline; }
tbody tr:last-child > * { border-bottom: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-size: .85rem; font-weight: 400; padding-bottom: .2rem; }
tbody th { font-weight: 600; }
td { white-space: pre-wrap; }
thead th:first-child { width: 30%; }
thead th:last-child { width: 15%; }
td:last-child { color: var(--soft); font-size: .9rem; white-space: nowrap; padding-inline-end: 0; }
.number { font-variant-numeric: tabular-nums; }

.risk { display: inline-block; padding: .05rem .55rem; border: 1px solid currentColor; border-radius: 1em; font-size: .85rem; color: var(--soft); }
.risk.high, .risk.critical, .risk.unknown { color: var(--no); font-weight: 600; }
.changed, .refused { padding: .9rem 1.1rem; background: var(--warn-ground); border-inline-start: 4px solid var(--warn-line); border-radius: 4px; }
.changed p:last-child { margin-bottom: 0; }
p.refused { margin: 1rem 0; }
.claim { padding: 1rem 1.1rem .4rem; background: var(--claim); border: 1px dashed var(--soft); border-radius: 8px; }
.claim h3 { color: var(--soft); font-weight: 600; font-size: .9rem; }
.claim ul { margin: 0 0 .75rem; padding-inline-start: 1.2rem; }
blockquote { margin: 0 0 .9rem; padding-inline-start: .9rem; border-inline-start: 3px solid var(--line); white-space: pre-wrap; }
.claim blockquote, .became blockquote { border-color: var(--soft); }
dl { display: grid; grid-template-columns: minmax(9rem, 1fr) 2fr; gap: .35rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; }

.review { padding-top: 1.25rem; border-top: 2px solid var(--line); }
label { font-weight: 600; }
label + .small { margin-bottom: .35rem; }
textarea { width: 100%; padding: .6rem .7rem; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--soft); border-radius: 6px; resize: vertical; }
button { min-height: 2.75rem; padding: .5rem 1.2rem; font: inherit; font-weight: 600; border: 1px solid transparent; border-radius: 6px; cursor: pointer; overflow-wrap: anywhere; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: .9rem; }
.grant { background: var(--accent); color: var(--on-accent); }
.deny { background: transparent; border-color: var(--no); color: var(--no); }
.quiet { min-height: 2rem; padding: .2rem .8rem; background: transparent; border-color: var(--line); color: inherit; font-weight: 400; }
.became { margin-top: 1rem; padding: .9rem 1.1rem .15rem; background: var(--claim); border-inline-start: 4px solid var(--soft); border-radius: 4px; }
.became.granted, .became.consumed { border-color: var(--accent); }
.became.denied, .became.revoked { border-color: var(--no); background: var(--no-ground); }
footer { margin-top: 2rem; padding-top: 1rem; border-top: 1px solid var(--line); }
footer p { margin-bottom: .35rem; font-size: .8rem; }

.cards, .rows { list-style: none; margin: 0; padding: 0; }
.cards li { margin-bottom: .75rem; padding: .9rem 1.1rem; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; }
.cards p { margin-bottom: .35rem; }
.cards .doubt { border-inline-start: 4px solid var(--warn-line); }
.facts { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem 1rem; margin: 0; color: var(--soft); font-size: .9rem; }
.rows li { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .1rem 1rem; padding: .5rem 0; border-top: 1px solid var(--line); }
@media (max-width: 34rem) {
  header, main { padding-inline: .9rem; }
  h1 { font-size: 1.4rem; }
  article { padding-inline: 1rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .6rem; }
  .buttons button { width: 100%; }
  th, td { padding-inline-end: .4rem; font-size: .9rem; }
  thead th:first-child { width: 39%; }
  thead th:last-child { width: 21%; }
  td:last-child { font-size: .8rem; white-space: normal; }
}
@media (forced-colors: active) { button { border-color: ButtonText; } }
`
