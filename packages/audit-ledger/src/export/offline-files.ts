/** What goes with every export: the programs that verify it, and how to use that. */
import { readFileSync } from 'node:fs';
import type { ExtraFile } from './export-log.js';
import { OFFLINE_PATHS } from './layout.js';

export function offlineFiles(): ExtraFile[] {
  return OFFLINE_PATHS.map((path) => ({
    path,
    bytes: readFileSync(new URL(`../../offline/${path}`, import.meta.url)),
  }));
}
