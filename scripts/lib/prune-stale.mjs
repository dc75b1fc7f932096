import fs from 'node:fs';
import path from 'node:path';

const OUTPUT = /\.(js|d\.ts)(\.map)?$/;

/**
 * Removes compiled files whose source is gone; the compiler leaves them, and a removed test would go on running.
 * @param {string} sources the package's source folder @param {string} output its `dist`
 * @returns {string[]} what was removed, relative to `output`
 */
export function pruneStale(sources, output) {
  if (!fs.existsSync(output)) return [];
  const removed = [];
  for (const entry of fs.readdirSync(output, { recursive: true })) {
    const name = String(entry);
    if (!OUTPUT.test(name)) continue;
    const stem = path.join(sources, name.replace(OUTPUT, ''));
    if (fs.existsSync(`${stem}.ts`) || fs.existsSync(`${stem}.tsx`)) continue;
    fs.rmSync(path.join(output, name));
    removed.push(name);
  }
  return removed;
}
