/**
 * A whole log verified in two parts at once, each on a processor. Together they show that nothing is wrong; what is wrong, and at
 * which entry, a walk through the whole says, so that nothing of it depends on where the parts meet.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { BLOCK_ENTRIES } from '../index/block.js';
import { type Checkpoint, parseCheckpointBody } from '../note/checkpoint.js';
import { parseVerifierKey, type VerifierKey } from '../note/keys.js';
import { NoteError, parseNote } from '../note/note.js';
import type { Backend } from '../storage/backend.js';
import { fileBackend } from '../storage/file/file-backend.js';
import { openSigned } from '../storage/open-signed.js';
import { TILE_WIDTH } from '../tiles/path.js';
import { type LogSource, NOTHING_PRUNED } from '../verify/source.js';
import { type VerifyOptions, type VerifyReport, verifyLog } from '../verify/verify-log.js';

/** Of a part. Fewer are verified before another thread is ready to. */
const MIN_ENTRIES = BLOCK_ENTRIES;

/** What the other thread shall verify: entries [0, end) of a log whose checkpoint extends `known`. */
export interface FirstPart {
  readonly directory: string;
  readonly verifier: string;
  readonly end: number;
  readonly known: Checkpoint;
}

/** How far the other thread is, and in the end what it found. */
export type PartNews = number | PartReport;

export interface Verified {
  readonly report: VerifyReport;
  /** The signed checkpoint that it is of. */
  readonly note: string;
}

type VerifyFirst = (part: FirstPart, progress: (verified: number) => void) => Promise<PartReport>;

/** What a thread can tell another: the key by which it opened the checkpoint holds functions. */
type PartReport = Omit<VerifyReport, 'followed'>;

interface PartsOptions extends Pick<VerifyOptions, 'known' | 'progress'> {
  readonly verifyFirst?: VerifyFirst;
  readonly minEntries?: number;
}

/** Undefined where the log is not intact, or not worth two threads: then it is to be verified as a whole. @throws SourceError */
export async function verifyInParts(
  backend: Backend,
  key: VerifierKey,
  { verifyFirst = inThread, minEntries = MIN_ENTRIES, ...options }: PartsOptions = {},
): Promise<Verified | undefined> {
  if (backend.name !== 'file') return undefined;
  const source = await openSigned(backend, key);
  try {
    const note = await source.checkpoint();
    const known = checkpointIn(note);
    if (known === undefined) return undefined;
    const middle = await middleOf(known.size, source);
    if (Math.min(middle, known.size - middle) < minEntries || availableParallelism() === 1) return undefined;
    const verified = { first: 0, second: 0 };
    const tell = (): void => options.progress?.(verified.first + verified.second, known.size);
    // One bundle more than its own: there it is seen that the second part follows on the first.
    const part = { directory: backend.place, verifier: key.text, end: middle + TILE_WIDTH, known };
    const [first, second] = await Promise.all([
      verifyFirst(part, (count) => {
        verified.first = Math.min(count, middle);
        tell();
      }),
      verifyLog(source, key, {
        ...options,
        range: { first: middle, end: known.size },
        progress: (count) => {
          verified.second = count;
          tell();
        },
      }),
    ]);
    return first.ok && second.ok ? { report: joined(first, second), note } : undefined;
  } finally {
    await source.close();
  }
}

function checkpointIn(note: string): Checkpoint | undefined {
  try {
    return parseCheckpointBody(parseNote(note).text);
  } catch (error) {
    if (error instanceof NoteError) return undefined;
    throw error;
  }
}

/** Where the second part begins: behind everything that was pruned. */
async function middleOf(size: number, source: LogSource): Promise<number> {
  const { leaves, details } = (await source.pruned?.()) ?? NOTHING_PRUNED;
  return Math.ceil(Math.max(size / 2, leaves, details) / TILE_WIDTH) * TILE_WIDTH;
}

/** Of parts without a finding. In the bundle that both walked no detail is missing: it lies behind what was pruned. */
function joined(first: PartReport, second: VerifyReport): VerifyReport {
  const { prunedDetails, prunedLeaves } = first;
  return {
    ...second,
    firstSeq: 0,
    entries: second.firstSeq + second.entries,
    details: first.details + second.details - TILE_WIDTH,
    prunedDetails,
    prunedLeaves,
  };
}

/** What the other thread does. @throws SourceError */
export async function verifyPart(
  { directory, verifier, end, known }: FirstPart,
  progress: (verified: number) => void,
): Promise<PartReport> {
  const key = parseVerifierKey(verifier);
  const source = await openSigned(fileBackend({ directory }), key);
  try {
    const { followed: _, ...report } = await verifyLog(source, key, { range: { first: 0, end }, known, progress });
    return report;
  } finally {
    await source.close();
  }
}

async function inThread(part: FirstPart, progress: (verified: number) => void): Promise<PartReport> {
  const worker = new Worker(new URL('./verify-part-main.js', import.meta.url), { workerData: part });
  try {
    return await new Promise((resolve, reject) => {
      worker.on('message', (news: PartNews) => (typeof news === 'number' ? progress(news) : resolve(news)));
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`the thread that verifies a part of the log ended with ${code}`)));
    });
  } finally {
    await worker.terminate();
  }
}
