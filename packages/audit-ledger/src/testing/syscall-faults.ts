/**
 * A real writer whose n-th system call of a kind fails, or kills it: attached to the thread that does its file operations,
 * strace injects the fault. Afterwards the log is opened again and must hold every acknowledged event exactly once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEvent } from '@sentinel/contracts/sentinel/v1/audit.js';
import { callUnary } from '@sentinel/service-kit/grpc-client';
import { SALT_BYTES } from '../detail/commitment.js';
import { checkEvents } from '../ingest/check-events.js';
import { parseSigningKey, type SigningKey } from '../note/keys.js';
import { fileBackend } from '../storage/file/file-backend.js';
import { verifyAgainst, verifyLog } from '../verify/verify-log.js';
import { openTestLedger } from './ledgers.js';
import { bytesOf, clientOf, eventOf } from './wire.js';
import { WriterProcess } from './writer-process.js';

/** System calls by which the file backend changes a disk, and the faults that each can have. */
export const SYSCALLS = [
  'openat',
  'mkdir',
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'fdatasync',
  'fsync',
  'link',
  'rename',
  'unlink',
  'ftruncate',
] as const;
export type Syscall = (typeof SYSCALLS)[number];
export const FAULTS = { EIO: 'error=EIO', ENOSPC: 'error=ENOSPC', kill: 'signal=KILL' } as const;
export type Fault = keyof typeof FAULTS;

/** Requests of one run, and the events of each. */
const REQUESTS = 3;
const EVENTS = 2;
const ATTACH_MS = 30_000;
/** A writer that neither answers nor ends. */
const STUCK_MS = 60_000;
const PAUSE = new URL('./pause-before-start.js', import.meta.url).href;

/** The n-th call of its kind in a run that nothing disturbs. */
export interface StorageCall {
  readonly syscall: Syscall;
  readonly nth: number;
}

export interface FaultOutcome {
  /** False: this run had no such call. */
  readonly injected: boolean;
  /** What is wrong afterwards; empty where nothing is. */
  readonly problems: readonly string[];
}

export class FaultRuns {
  readonly #writer = new WriterProcess();
  readonly #key: SigningKey;
  readonly #preload: readonly string[];

  /** `preload`: a mutant to load into the writer. */
  constructor(preload?: string) {
    this.#preload = preload === undefined ? [] : ['--import', preload];
    this.#key = parseSigningKey(readFileSync(this.#at('ledger.key'), 'utf8').trim());
  }

  /** Makes the log that every run begins with. */
  async prepare(): Promise<void> {
    const { ledger, close } = await openTestLedger(this.#writer.dataFolder, { key: this.#key });
    for (let request = 0; request < 2; request += 1)
      await ledger.ingest(checkEvents(bytesOf(requestOf(100 + request))));
    await close();
    cpSync(this.#writer.dataFolder, this.#at('template'), { recursive: true });
    cpSync(this.#at('ledger.guard'), this.#at('template.guard'));
  }

  /** Every call on the files of the log that a run makes: it starts, recovers, takes requests and stops. */
  async calls(): Promise<StorageCall[]> {
    const { traced, problems, acked } = await this.#trace(['-y', '-e', `trace=${SYSCALLS.join(',')}`]);
    if (problems.length > 0 || acked < REQUESTS * EVENTS)
      throw new Error(`a run without a fault has ${acked} events acknowledged; ${problems.join('; ')}`);
    const counts = new Map<string, number>();
    const found: StorageCall[] = [];
    for (const line of traced.split('\n')) {
      const syscall = SYSCALLS.find((name) => line.startsWith(`${name}(`));
      if (syscall === undefined) continue;
      const nth = (counts.get(syscall) ?? 0) + 1;
      counts.set(syscall, nth);
      if (line.includes(this.#writer.dataFolder)) found.push({ syscall, nth });
    }
    return found;
  }

  async run({ syscall, nth }: StorageCall, fault: Fault): Promise<FaultOutcome> {
    const inject = `inject=${syscall}:${FAULTS[fault]}:when=${nth}`;
    const { traced, problems } = await this.#trace(['-e', `trace=${syscall}`, '-e', inject]);
    return { injected: /INJECTED|SIGKILL/.test(traced), problems };
  }

  /** One run of a writer under a tracer, and what is wrong afterwards. */
  async #trace(args: readonly string[]): Promise<{ traced: string; problems: string[]; acked: number }> {
    this.#reset();
    const [trace, pause] = [this.#at('trace'), this.#at('pause')];
    const node = [process.execPath, '--import', PAUSE, ...this.#preload];
    this.#writer.command = ['env', 'UV_THREADPOOL_SIZE=1', `PAUSE_FILE=${pause}`, ...node];
    const starting = this.#writer.start().catch(() => undefined);
    const tracer = await attach(pause, ['-qq', '-o', trace, ...args]).catch(async (error: unknown) => {
      await this.#writer.signal('SIGKILL');
      throw error;
    });
    writeFileSync(`${pause}.go`, '');
    const addresses = await starting;
    const acked = addresses === undefined ? new Map<string, bigint>() : await sendAll(addresses.grpc);
    const stuck = await this.#stop();
    await ended(tracer);
    const traced = existsSync(trace) ? readFileSync(trace, 'utf8') : '';
    const problems = await this.#check(acked).catch((error: unknown) => [`it does not open: ${String(error)}`]);
    if (stuck) problems.push('the writer neither went on nor ended');
    return { traced, problems, acked: acked.size };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#writer[Symbol.asyncDispose]();
  }

  #reset(): void {
    for (const name of ['ledger', 'ledger.guard', 'pause', 'pause.go', 'trace'])
      rmSync(this.#at(name), { recursive: true, force: true });
    cpSync(this.#at('template'), this.#writer.dataFolder, { recursive: true });
    cpSync(this.#at('template.guard'), this.#at('ledger.guard'));
  }

  /** Whether the writer had to be killed. */
  async #stop(): Promise<boolean> {
    const stopping = this.#writer.signal('SIGTERM');
    const limit = delay(STUCK_MS, 'stuck' as const, { ref: false });
    if ((await Promise.race([stopping, limit])) !== 'stuck') return false;
    await this.#writer.signal('SIGKILL');
    return true;
  }

  /** Sends everything again to the log as it is found, and reads it whole. */
  async #check(acked: ReadonlyMap<string, bigint>): Promise<string[]> {
    const problems: string[] = [];
    const { ledger, store, close } = await openTestLedger(this.#writer.dataFolder, { key: this.#key });
    const seen = new Map<string, number>();
    try {
      for (let request = 0; request < REQUESTS; request += 1)
        await ledger.ingest(checkEvents(bytesOf(requestOf(request))));
      for (const { seq, leaf, detailPreimage } of await store.readEntries(0, ledger.checkpoint.size)) {
        const id = idOf(leaf.subarray(28, 44));
        if (seen.has(id)) problems.push(`event of entry ${seen.get(id)} is there again as entry ${seq}`);
        if ((detailPreimage?.length ?? 0) <= 1 + SALT_BYTES) problems.push(`entry ${seq} has no detail`);
        seen.set(id, seq);
      }
    } finally {
      await close();
    }
    for (const [id, seq] of acked)
      if (seen.get(id) !== Number(seq)) problems.push(`acknowledged entry ${seq} is now ${seen.get(id) ?? 'lost'}`);
    return [...problems, ...(await this.#verify())];
  }

  /** What `fsck` and `verify --full` say. */
  async #verify(): Promise<string[]> {
    const backend = fileBackend({ directory: this.#writer.dataFolder });
    const unsigned = await backend.openUnsigned();
    if (unsigned === undefined) return ['there is no log'];
    const checkpoint = { origin: 'head', size: unsigned.head.size, root: unsigned.head.root };
    const fsck = await verifyAgainst(checkpoint, unsigned.source, {}).finally(() => unsigned.source.close());
    const source = await backend.openSource();
    const verified = await verifyLog(source, this.#key.verifier).finally(() => source.close());
    return [...fsck.findings, ...verified.findings].map(({ seq, what }) => `entry ${seq}: ${what}`);
  }

  #at(name: string): string {
    return join(this.#writer.folder, name);
  }
}

/** Attaches a tracer to the thread that a paused writer names. */
async function attach(pause: string, args: readonly string[]): Promise<ChildProcess> {
  const deadline = Date.now() + ATTACH_MS;
  const by = async <T>(look: () => T | undefined): Promise<T> => {
    for (; Date.now() < deadline; await delay(5)) {
      const found = look();
      if (found !== undefined) return found;
    }
    throw new Error('no tracer could be attached to the writer');
  };
  const [pid, thread] = await by(() => (existsSync(pause) ? readFileSync(pause, 'utf8').split(' ') : undefined));
  const tracer = spawn('strace', [...args, '-p', thread ?? ''], { stdio: 'ignore' });
  await by(() =>
    /TracerPid:\t[1-9]/.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')) ? true : undefined,
  );
  return tracer;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function requestOf(number: number): {
  producer: string;
  producerEpoch: bigint;
  firstSequence: bigint;
  events: AuditEvent[];
} {
  const events = Array.from({ length: EVENTS }, (_, i) => eventOf(number * EVENTS + i));
  return { producer: 'faults', producerEpoch: 0n, firstSequence: 0n, events };
}

/** Seqs of what was acknowledged, by event id; ends with the first refusal, as a sender would wait then. */
async function sendAll(address: string): Promise<Map<string, bigint>> {
  const acked = new Map<string, bigint>();
  const client = clientOf(address);
  try {
    for (let number = 0; number < REQUESTS; number += 1) {
      const request = requestOf(number);
      const { seqs } = await callUnary(client, client.ingestEvents, request);
      request.events.forEach(({ eventId }, i) => {
        acked.set(idOf(eventId), seqs[i] ?? -1n);
      });
    }
  } catch {
    // Refused, or the writer is gone: what was not acknowledged is sent to the log as it is found.
  } finally {
    client.close();
  }
  return acked;
}

function idOf(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}
