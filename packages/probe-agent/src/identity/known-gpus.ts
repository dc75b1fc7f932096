import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '@sentinel/service-kit/files';

/** GPUs that the agent of this node tested when it started last. A lost or damaged file loses the memory, nothing else. */
export function knownGpus(folder: string): string[] {
  try {
    const ids: unknown = JSON.parse(readFileSync(fileIn(folder), 'utf8'));
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

export function rememberGpus(folder: string, ids: readonly string[]): void {
  writeFileDurably(fileIn(folder), `${JSON.stringify(ids)}\n`);
}

function fileIn(folder: string): string {
  return join(folder, 'gpus.json');
}
