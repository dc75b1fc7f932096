/** The programs that go with every pack, as somebody runs them who has nothing else. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TEST_KEY } from './ledgers.js';

export interface Verdict {
  readonly status: number | null;
  readonly output: string;
}

/** Keys as text; undefined = none is given. */
interface Given {
  readonly key?: string | undefined;
  readonly attestationKey?: string | undefined;
}

const PROGRAMS = { 'verify.mjs': process.execPath, 'verify.py': 'python3' } as const;

export function verdictOf(
  program: keyof typeof PROGRAMS,
  pack: string,
  { key, attestationKey }: Given = { key: TEST_KEY.verifier.text },
): Verdict {
  const script = fileURLToPath(new URL(`../../offline/${program}`, import.meta.url));
  const flag = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value]);
  const args = [script, pack, ...flag('--key', key), ...flag('--attestation-key', attestationKey)];
  const { status, stdout, stderr } = spawnSync(PROGRAMS[program], args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

/** What both say of a pack, which is the same, but for what cannot be read at all, which one may notice before the other. */
export function verdictsOf(pack: string, given?: Given): Verdict {
  const [ours, theirs] = [verdictOf('verify.mjs', pack, given), verdictOf('verify.py', pack, given)];
  assert.equal(theirs.status, ours.status, theirs.output);
  const readable = [ours, theirs].every(({ output }) => !output.includes('the pack cannot be read'));
  if (readable) assert.equal(theirs.output, ours.output);
  return ours;
}
