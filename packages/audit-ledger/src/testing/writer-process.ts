/** Real ledger processes, for tests that kill them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { writeSigningKey } from '../note/key-file.js';

const BIN = fileURLToPath(new URL('../../bin/sentinel-audit-ledger.mjs', import.meta.url));
const READY_MS = 60_000;
/** Also for one that has yet to find out by itself that it has to end. */
const ENDED_MS = 60_000;

export const SERVICE_TOKEN = 'service-token-of-tests';
export const OPERATOR_TOKEN = 'operator-token-of-tests';

export interface WriterAddresses {
  readonly grpc: string;
  readonly http: string;
  readonly metrics: string;
}

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

export class LedgerProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'sentinel-writer-'));
  /** Standard output and error of every life. */
  output = '';
  /** What runs the program: node, perhaps with a module that changes it first, or under a tracer. */
  command: readonly string[] = [process.execPath];
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #closed: Promise<unknown> = Promise.resolve();

  /** `over`: values beside those of plaintext on loopback. */
  constructor(over: { readonly [key: string]: unknown }, args: readonly string[] = []) {
    this.#args = args;
    const config = {
      listen_address: '127.0.0.1:0',
      tls: { enabled: false },
      http: { listen_address: '127.0.0.1:0' },
      metrics: { listen_address: '127.0.0.1:0' },
      data_dir: this.dataFolder,
      // However long a test takes, it knows every entry.
      chain: { flush_interval_seconds: 3_600 },
      service_token: SERVICE_TOKEN,
      operator_token: OPERATOR_TOKEN,
      ...over,
    };
    writeFileSync(join(this.folder, 'sentinel.yaml'), JSON.stringify({ audit_ledger: config }));
  }

  get dataFolder(): string {
    return join(this.folder, 'ledger');
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(...args: readonly string[]): Promise<WriterAddresses> {
    const readyFile = join(this.folder, 'ready.json');
    rmSync(readyFile, { force: true });
    const child = this.#spawn(['--ready-file', readyFile, ...this.#args, ...args]);
    this.#child = child;
    this.#closed = once(child, 'close');
    for (const end = Date.now() + READY_MS; Date.now() < end; await delay(10)) {
      if (child.exitCode !== null || child.signalCode !== null) {
        await this.#closed;
        throw new Error(`the writer ended with ${child.exitCode ?? child.signalCode}: ${this.output.slice(-2000)}`);
      }
      const ready = readReady(readyFile);
      if (ready !== undefined) return ready;
    }
    throw new Error(`the writer is not ready: ${this.output.slice(-2000)}`);
  }

  /** Runs a command, or a start that is expected to end by itself. */
  async run(...args: readonly string[]): Promise<Finished> {
    const child = this.#spawn([...this.#args, ...args]);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => (output += bytes.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  }

  /** Resolves with its status once it has ended and everything that it said is in `output`. */
  async signal(name: NodeJS.Signals): Promise<number | null> {
    this.#child?.kill(name);
    const late = delay(ENDED_MS, undefined, { ref: false }).then(() => {
      throw new Error(`the writer does not end after ${name}: ${this.output.slice(-2000)}`);
    });
    await Promise.race([this.#closed, late]);
    return this.#child?.exitCode ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.signal('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(args: readonly string[]): ChildProcess {
    const [file = '', ...before] = this.command;
    const child = spawn(file, [...before, BIN, '--config', join(this.folder, 'sentinel.yaml'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        this.output += bytes.toString();
      });
    }
    return child;
  }
}

export class WriterProcess extends LedgerProcess {
  readonly verifierKey: string;

  constructor(over: { readonly [key: string]: unknown } = {}) {
    super({ signing_key_path: 'ledger.key', ...over });
    this.verifierKey = writeSigningKey(join(this.folder, 'ledger.key'), 'sentinel/test');
  }
}

/** A reader of the log of `writer`, with a folder of its own. */
export function readerOf(writer: WriterProcess, over: { readonly [key: string]: unknown } = {}): LedgerProcess {
  const { dataFolder: data_dir, verifierKey: verifier_key } = writer;
  const reader = { poll_interval_ms: 50, state_dir: 'state' };
  return new LedgerProcess({ data_dir, verifier_key, reader, ...over }, ['--mode', 'reader']);
}

function readReady(file: string): WriterAddresses | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as WriterAddresses;
  } catch {
    return undefined;
  }
}
