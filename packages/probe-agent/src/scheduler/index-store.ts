import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import { writeFileDurably } from '@sentinel/service-kit/files';
import { NO_INDICES, type SavedIndices, SeedIndices } from './seed-indices.js';

/**
 * The seed indices of a device, kept in the node's folder.
 * @throws SentinelError FAILED_PRECONDITION for a file that cannot be read: indices could repeat
 */
export function storedIndices(folder: string, deviceId: string): SeedIndices {
  const file = join(folder, `indices-${deviceId}.json`);
  return new SeedIndices(readIndices(file), (state) => writeFileDurably(file, `${JSON.stringify(state)}\n`));
}

function readIndices(file: string): SavedIndices {
  try {
    return { ...NO_INDICES, ...(JSON.parse(readFileSync(file, 'utf8')) as Partial<SavedIndices>) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return NO_INDICES;
    throw new SentinelError({
      code: 'FAILED_PRECONDITION',
      message: `${file} cannot be read (${(cause as Error).message})`,
      hint: 'Remove it: seeds of the last ten seconds may then be used once more.',
      cause,
    });
  }
}
