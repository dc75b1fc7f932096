import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { eventually } from './eventually.js';

const READY_TIMEOUT_MS = 90_000;
/** Characters of output kept; older ones are dropped. */
const MAX_OUTPUT = 1_000_000;
const TAIL = 4_000;
/** A process that ignores SIGTERM for longer is killed when its test ends. */
const DISPOSE_DEADLINE_MS = 30_000;

export interface ProcessSpec {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** Added to the environment of the test. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** When it counts as started: a JSON file with its pid, or what its output must contain. Default: at once. */
  readonly ready?: { readonly file: string } | { readonly output: RegExp };
  readonly readyTimeoutMs?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process started by a test; ends with it (`await using`). */
export interface TestProcess extends AsyncDisposable {
  readonly pid: number;
  /** Parsed content of the ready file; null where readiness has another form. */
  readonly ready: unknown;
  /** Newest standard output and standard error, together. */
  readonly output: string;
  /** Resolves when it has ended and its output is complete. */
  readonly exited: Promise<Exit>;
  /** Sends a signal (default SIGTERM) and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
  /** Waits until the output contains `pattern`; fails when the process ends before. */
  printed(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
}

/**
 * Starts a program and waits until it is ready.
 * @throws Error with the end of its output when it ends or takes too long before that
 */
export async function startProcess(spec: ProcessSpec): Promise<TestProcess> {
  const { ready } = spec;
  if (ready !== undefined && 'file' in ready) rmSync(ready.file, { force: true });
  const running = observe(await launch(spec));
  try {
    if (ready === undefined) return running;
    if ('output' in ready) await running.printed(ready.output, spec.readyTimeoutMs);
    else return Object.assign(running, { ready: await readyFile(running, ready.file, spec.readyTimeoutMs) });
    return running;
  } catch (error) {
    await running.kill('SIGKILL');
    throw error;
  }
}

/** Processes that must not outlive the test file, however it ends. */
const ALIVE = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of ALIVE) child.kill('SIGKILL');
});

async function launch(spec: ProcessSpec): Promise<ChildProcess> {
  const [program, ...args] = spec.command;
  const child = spawn(program, args, {
    env: { ...process.env, ...spec.env },
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await once(child, 'spawn');
  ALIVE.add(child);
  child.once('exit', () => ALIVE.delete(child));
  return child;
}

function observe(child: ChildProcess): TestProcess {
  const output = collect(child);
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const kill = (signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> => {
    child.kill(signal);
    return exited;
  };
  const running: TestProcess = {
    pid: child.pid ?? 0,
    ready: null,
    get output() {
      return output();
    },
    exited,
    kill,
    printed: (pattern, timeoutMs) => printed(running, pattern, timeoutMs),
    [Symbol.asyncDispose]: async () => {
      const late = setTimeout(() => child.kill('SIGKILL'), DISPOSE_DEADLINE_MS);
      await kill();
      clearTimeout(late);
    },
  };
  return running;
}

/** Gathers what the process writes. */
function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    const decoder = new StringDecoder('utf8');
    stream?.on('data', (bytes: Buffer) => {
      text = (text + decoder.write(bytes)).slice(-MAX_OUTPUT);
    });
  }
  return () => text;
}

/** Waits until `look` finds something, but not beyond the end of the process. */
async function whileAlive<T>(running: TestProcess, what: string, timeoutMs: number, look: () => T | null): Promise<T> {
  let exit: Exit | null = null;
  void running.exited.then((end) => {
    exit = end;
  });
  const check = (): { found: T } | { exit: Exit } | null => {
    const found = look();
    if (found !== null) return { found };
    return exit === null ? null : { exit };
  };
  try {
    const outcome = await eventually(check, { what, timeoutMs });
    if ('found' in outcome) return outcome.found;
    throw new Error(`ended with ${JSON.stringify(outcome.exit)} before: ${what}`);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${running.output.slice(-TAIL)}`, { cause: error });
  }
}

function printed(running: TestProcess, pattern: RegExp, timeoutMs = READY_TIMEOUT_MS): Promise<RegExpExecArray> {
  // A global pattern would remember where it stopped.
  const fresh = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  return whileAlive(running, `output matches ${fresh}`, timeoutMs, () => fresh.exec(running.output));
}

function readyFile(running: TestProcess, file: string, timeoutMs = READY_TIMEOUT_MS): Promise<unknown> {
  return whileAlive(running, `${file} is written`, timeoutMs, () => {
    const content = readJson(file);
    return typeof content === 'object' && content !== null && 'pid' in content ? content : null;
  });
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
