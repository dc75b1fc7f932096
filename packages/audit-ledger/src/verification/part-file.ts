/** What the verification job knows, across restarts. It holds nothing that is believed: a lost or damaged file costs one more look. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nodeDisk } from '../storage/file/disk.js';
import { readWhole, replaceFile } from '../storage/file/files.js';
import { NEVER_VERIFIED, type VerifiedPart } from './condition.js';

export async function readPart(path: string): Promise<VerifiedPart> {
  const bytes = await readWhole(path);
  try {
    return bytes === undefined
      ? NEVER_VERIFIED
      : partOf(JSON.parse(bytes.toString('utf8')) as { [name: string]: unknown });
  } catch (error) {
    if (error instanceof SyntaxError) return NEVER_VERIFIED;
    throw error;
  }
}

export async function writePart(path: string, part: VerifiedPart): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await replaceFile(nodeDisk, path, `${JSON.stringify(part)}\n`);
}

function partOf(value: { readonly [name: string]: unknown }): VerifiedPart {
  const { note, size, atMs, damaged, scrubNext } = value;
  const intact =
    (note === undefined || typeof note === 'string') &&
    [size, atMs, scrubNext].every(isCount) &&
    Array.isArray(damaged) &&
    damaged.every(isCount);
  return intact ? ({ ...NEVER_VERIFIED, ...value } as VerifiedPart) : NEVER_VERIFIED;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
