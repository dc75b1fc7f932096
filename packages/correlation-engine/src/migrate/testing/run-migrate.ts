import type { CorrelationEngineConfig } from '@sentinel/service-kit/config';
import { runMigrate } from '../command.js';

interface Flags {
  readonly state?: boolean;
  readonly history?: boolean;
  readonly yes?: boolean;
  readonly to?: string;
}

/** The command with these words and flags. @returns its exit status, and all that it printed */
export async function migrateBy(config: Partial<CorrelationEngineConfig>, positionals: string[], given: Flags = {}) {
  let text = '';
  const stream = { write: (piece: string) => (text += piece) };
  const flags = { state: false, history: false, yes: false, to: undefined, ...given };
  const program = { config: config as CorrelationEngineConfig, positionals, flags };
  return { status: await runMigrate(program, { stdout: stream, stderr: stream }), text };
}
