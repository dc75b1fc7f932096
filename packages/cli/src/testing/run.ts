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
  /** Of the terminal; undefined = it is none. */
  readonly columns?: number;
  /** Everything that was written so far. */
  readonly onOutput?: (stdout: string) => void;
}

/** Runs the command line in this process. */
export async function run(
  argv: readonly string[],
  { dataDir = '/nonexistent', signal = new AbortController().signal, columns, onOutput = () => {} }: RunOptions = {},
): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const io = {
    stdout: {
      columns,
      write: (text: string) => {
        stdout += text;
        onOutput(stdout);
      },
    },
    stderr: { write: (text: string) => (stderr += text) },
    signal,
    nowUs: () => NOW_US,
  };
  const status = await runCommandLine(argv, io, dataDir);
  return { status, stdout, stderr };
}
