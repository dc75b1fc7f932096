import { spoken } from './hours.js';
import { levelPlot, shareSoonerPlot } from './plots.js';
import type { Summary } from './summary.js';
import { FAULT_COLUMNS, faultCells, figuresOf } from './text.js';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #636c76; --line: #d1d9e0; --paper: #fff; --a: #9a6700; --b: #cf222e; --c: #0969da; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --paper: #0d1117; --a: #d29922; --b: #f85149; --c: #4493f8; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } p { margin: .25rem 0 1rem; color: var(--soft); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); } .scroll { overflow-x: auto; } svg { width: 100%; height: auto; } svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
code { font-size: 12px; word-break: break-all; }`;

/** A page that needs nothing beside itself. */
export function htmlReport(summary: Summary): string {
  const { scenario, description, notes, gpus, hours, replicates, seed, digest, first, quarantineHours, leftOut } =
    summary;
  const runs = replicates === 1 ? 'one run' : `${replicates} runs`;
  const faults = section('Faults', tableOf([...FAULT_COLUMNS], summary.faults.map(faultCells)));
  const sooner = section(
    'Time to quarantine',
    `<p>Share of the GPUs with a fault of their own that are quarantined so long after it began.</p>${shareSoonerPlot(quarantineHours)}`,
  );
  const cut =
    leftOut === 0 ? '' : `<p>Further failures were left out ${leftOut} times, as the scenario's limits say.</p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(scenario)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(scenario)}</h1>
<p>${escaped(description)} ${gpus} GPUs, ${spoken(hours)}, ${runs}, seed ${seed}.</p>
${notes.map((note) => `<p>${escaped(note)}</p>`).join('\n')}
${summary.faults.length === 0 ? '' : faults}
${section('Figures', tableOf([], figuresOf(summary)))}
${quarantineHours.length === 0 ? '' : sooner}
${section('First run', `<p>GPUs that are suspect, and those out of service; bars below are incidents.</p>${levelPlot(first, hours)}`)}
${cut}<p>Digest of all events that left the engine: <code>${digest}</code></p>
</body></html>
`;
}

function section(title: string, content: string): string {
  return `<section><h2>${title}</h2>${content}</section>`;
}

function tableOf(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = titles.length === 0 ? '' : `<tr>${titles.map((title) => `<th>${escaped(title)}</th>`).join('')}</tr>`;
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`).join('\n');
  return `<div class="scroll"><table>${head}${body}</table></div>`;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
