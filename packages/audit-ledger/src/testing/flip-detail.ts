/** Damage at rest, of one detail of a log in a folder. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Flips the lowest bit of the second character of `text`, in the detail that has it; flipped again it is as it was. */
export function flipDetail(folder: string, text: string): void {
  for (const name of readdirSync(join(folder, 'details'))) {
    const path = join(folder, 'details', name);
    const bytes = readFileSync(path);
    const at = bytes.indexOf(text);
    if (at < 0) continue;
    bytes[at + 1] = (bytes[at + 1] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    return;
  }
  throw new Error(`${text} is nowhere`);
}
