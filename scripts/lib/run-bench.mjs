// Runs under the pinned Node: `node run-bench.mjs MODULE [--quick] [ARGUMENT…]`.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './paths.mjs';

const [file, ...rest] = process.argv.slice(2);
const { report, table } = await import(pathToFileURL(path.join(ROOT, 'packages/bench-kit/dist/report.js')).href);
const { default: bench } = await import(pathToFileURL(file).href);
const goals = JSON.parse(fs.readFileSync(path.join(ROOT, 'docs/goals.json'), 'utf8'))[bench.name] ?? {};

const folder = fs.mkdtempSync(path.join(os.tmpdir(), `sentinel-bench-${bench.name}-`));
try {
  const outcome = await bench.run({
    quick: rest.includes('--quick'),
    args: rest.filter((arg) => arg !== '--quick'),
    folder,
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const { rows, summary } = report(bench.name, outcome, goals);
  process.stdout.write(`${table(rows)}\n${JSON.stringify(summary)}\n`);
  process.exitCode = summary.ok ? 0 : 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
