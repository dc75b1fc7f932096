import { execFile } from 'node:child_process';
import type { Finding } from '../check/reconcile.js';
import { BIN } from '../harness/paths.js';
import type { Replica } from '../harness/replica-set.js';

/** Decides everything again from the record log and the history, by the product's own command. @returns what differs from what is stored */
export async function replayed({ config }: Replica): Promise<Finding[]> {
  const argv = [BIN.engine, 'replay', '--config', config];
  const { code, text } = await new Promise<{ code: number; text: string }>((resolve) => {
    execFile(process.execPath, argv, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr });
    });
  });
  if (code === 0) return [];
  return [{ where: 'replay', what: `the replay ended with ${code}: ${text.trim()}`, runs: 1 }];
}
