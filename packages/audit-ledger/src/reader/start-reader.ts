/** A reader put together: it follows the writer's checkpoints and serves under the newest that it could verify. */
import { mkdir } from 'node:fs/promises';
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { lockDirectory } from '@sentinel/service-kit/directory-lock';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { ReadyInfo, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { createRegistry } from '@sentinel/service-kit/metrics';
import { verifications } from '../events.js';
import { NoteError } from '../note/note.js';
import { type Served, servePorts } from '../serve.js';
import { readerFolderOf, verifierKeyOf } from '../settings.js';
import { nodeDisk } from '../storage/file/disk.js';
import { selectBackend } from '../storage/select-backend.js';
import { Turns } from '../turns.js';
import { Condition } from '../verification/condition.js';
import { verifier } from '../verifications.js';
import type { VerifyReport } from '../verify/verify-log.js';
import { whenThere } from '../when-there.js';
import { createReaderEvents } from './events.js';
import { Follower } from './follower.js';
import { Following } from './following.js';
import { Kept } from './kept.js';
import { refusingWrites } from './refuse-writes.js';

export interface ReaderOptions {
  readonly config: AuditLedgerConfig;
  readonly insecure: boolean;
  /** An operator has looked at the evidence: the reader begins anew. */
  readonly acceptRollback: boolean;
  readonly log: Logger;
}

export async function startReader(
  options: ReaderOptions,
  stack: StopStack,
  tokens: { readonly operator: string; readonly service: string },
  stopping: AbortSignal,
): Promise<ReadyInfo> {
  const { config, insecure, log } = options;
  const key = verifierKeyOf(config);
  const backend = selectBackend(config);
  const kept = await openKept(options, stack);
  const followed = await whenThere(() => backend.openReader(), backend, log, stopping);
  stack.push('the log', () => followed.close());
  const registry = createRegistry();
  const { callRefused, ...events } = createReaderEvents(registry, log, () => following.state());
  const follower = await Follower.open({ log: followed, key, kept, nowMs: Date.now, events }).catch(keptByAnother);
  const following = new Following(follower, {
    intervalMs: config.reader.poll_interval_ms,
    maxSilenceMs: config.reader.max_silence_seconds * 1000,
    nowMs: Date.now,
    servingChanged: (serving) => served?.setServing(serving),
  });
  const { stop } = follower;
  if (stop !== undefined)
    log.error({ evidence: stop.evidence }, `CRITICAL: this reader does not serve: ${stop.reason}`);
  const condition = new Condition();
  const verified = verifications(registry, log, condition);
  const taken = (report: VerifyReport): void => {
    condition.take(report);
    verified(report);
  };
  let served: Served | undefined;
  await following.look();
  served = await servePorts(
    {
      config,
      insecure,
      log,
      tokens,
      registry,
      context: {
        view: () => following.view(),
        health: () => following.health(),
        keys: async () => ({ current: follower.key.text, rotations: await follower.rotations() }),
        verify: verifier(() => backend.openSource(), key, taken, new Turns()),
        log,
      },
      writes: refusingWrites(`the writer of ${key.name} at ${config.reader.writer_address}`, log),
      drain: () => Promise.resolve(),
      callRefused,
    },
    stack,
  );
  served.setServing(following.serving);
  following.start();
  stack.push('following', () => following.close());
  log.info({ backend: backend.name, place: backend.place, state: kept.directory, key: key.text }, 'following a log');
  return served.ready;
}

async function openKept({ config, acceptRollback, log }: ReaderOptions, stack: StopStack): Promise<Kept> {
  const folder = readerFolderOf(config);
  await mkdir(folder, { recursive: true });
  const lock = await lockDirectory(folder);
  stack.push('the folder of the reader', () => lock.release());
  const kept = new Kept(folder, nodeDisk);
  if (!acceptRollback) return kept;
  const [known, evidence] = [await kept.checkpoint(), await kept.evidence()];
  await kept.accept();
  log.warn({ known, evidence }, 'accepted by the operator: this reader forgets what it saw and begins anew');
  return kept;
}

function keptByAnother(error: unknown): never {
  if (!(error instanceof NoteError)) throw error;
  throw new SentinelError({
    code: 'FAILED_PRECONDITION',
    field: 'audit_ledger.verifier_key',
    message: `the checkpoint that this reader kept is not one by the configured key (${error.message})`,
    hint: 'Configure the key of the log that it followed, or give it an empty audit_ledger.reader.state_dir to follow another log.',
    cause: error,
  });
}
