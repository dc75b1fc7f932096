import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { CLI, writeEndpoints } from './cli.js';
import type { Stack } from './stack.js';

/** One line of `sentinel watch --output json`. */
export interface WatchLine {
  readonly gpu: string;
  readonly text: string;
  readonly event: string | null;
  readonly data: Readonly<Record<string, unknown>> | null;
}

/** A running `sentinel watch`. */
export class Watch implements AsyncDisposable {
  readonly lines: WatchLine[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.lines.push(JSON.parse(line) as WatchLine);
    });
  }

  /** Of a stack's engine, as its operator. */
  static of(stack: Stack): Promise<Watch> {
    writeEndpoints(stack);
    return Watch.start('--data', stack.folder);
  }

  /** @param flags where the engine is */
  static async start(...flags: string[]): Promise<Watch> {
    const args = [CLI, 'watch', '--output', 'json', ...flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child, 'spawn');
    return new Watch(child);
  }

  /** What it printed of states, in order: `FROM TO`. */
  get transitions(): string[] {
    return this.lines.flatMap(({ event, data }) => (event === 'state' ? [`${data?.['from']} ${data?.['to']}`] : []));
  }

  /** Ctrl-C. @returns its exit status */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const exit = once(this.#child, 'exit') as Promise<[number | null]>;
    this.#child.kill('SIGINT');
    return (await exit)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
