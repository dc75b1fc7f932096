/** What goes with every export: the programs that verify it, and how to use that. */
import { readFileSync } from 'node:fs';
import type { ExtraFile } from './export-log.js';

const PROGRAMS = ['verify.mjs', 'recount.mjs', 'verify.py', 'recount.py', 'definitions.json', 'README.txt'] as const;

export function offlineFiles(): ExtraFile[] {
  return PROGRAMS.map((path) => ({ path, bytes: readFileSync(new URL(`../../offline/${path}`, import.meta.url)) }));
}
