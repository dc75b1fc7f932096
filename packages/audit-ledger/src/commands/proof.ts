import { SentinelError } from '@sentinel/service-kit/errors';
import { formatTlogProof } from '../note/tlog-proof.js';
import { verifierKeyOf } from '../settings.js';
import { selectBackend } from '../storage/select-backend.js';
import { decodeBundle } from '../tiles/bundle.js';
import { NodeReader } from '../tiles/node-reader.js';
import { TILE_WIDTH, tileWidth } from '../tiles/path.js';
import { verifyInclusion } from '../tree/verify.js';
import { followCheckpoint } from '../verify/followed-key.js';
import type { LogSource } from '../verify/source.js';
import type { Command } from './index.js';

/** Prints the leaf in hexadecimal and the proof, after having verified it. */
export const proof: Command = async ({ config, positionals }, { stdout }) => {
  const seq = seqOf(positionals);
  const source = await selectBackend(config).openSource();
  try {
    const note = await source.checkpoint();
    const { checkpoint } = await followCheckpoint(note, source, verifierKeyOf(config));
    if (seq >= checkpoint.size)
      throw new SentinelError({
        code: 'NOT_FOUND',
        message: `entry ${seq} is not in a log of ${checkpoint.size} entries`,
      });
    const path = await new NodeReader((tile) => source.tile(tile), checkpoint.size).inclusionProof(
      seq,
      checkpoint.size,
    );
    const leaf = await leafAt(source, seq, checkpoint.size);
    if (!verifyInclusion(leaf, seq, checkpoint, path)) {
      throw new SentinelError({
        code: 'DATA_LOSS',
        message: `entry ${seq} is not what was signed`,
        hint: 'Run sentinel-audit-ledger verify --full.',
      });
    }
    stdout.write(
      `leaf ${Buffer.from(leaf).toString('hex')}\n${formatTlogProof({ index: seq, path, checkpoint: note })}`,
    );
    return 0;
  } finally {
    await source.close();
  }
};

async function leafAt(source: LogSource, seq: number, size: number): Promise<Uint8Array> {
  const index = Math.floor(seq / TILE_WIDTH);
  const width = tileWidth(size, 0, index);
  const bundle = await source.tile({ kind: 'entries', index, width });
  return decodeBundle(bundle, width)[seq % TILE_WIDTH] ?? new Uint8Array();
}

function seqOf(positionals: readonly string[]): number {
  const [text = ''] = positionals;
  if (/^\d{1,15}$/.test(text) && positionals.length === 1) return Number(text);
  throw new SentinelError({ code: 'INVALID_ARGUMENT', field: 'SEQ', message: 'proof needs the number of one entry' });
}
