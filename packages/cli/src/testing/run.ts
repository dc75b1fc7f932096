import { runCommandLine } from '../program.js';
import { NOW_US } from './samples.js';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly dataDir?: string;
  readonly signal?: AbortSignal;
}

/** Runs the command line in this process. */
export async function run(
  argv: readonly string[],
  { dataDir = '/nonexistent', signal = new AbortController().signal }: RunOptions = {},
): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const io = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    signal,
    nowUs: () => NOW_US,
  };
  const status = await runCommandLine(argv, io, dataDir);
  return { status, stdout, stderr };
}
