import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { loadConfig } from './load.js';
import { Answer, ConfigError } from './problems.js';
import type { SectionName } from './sections/index.js';

/** A temporary folder with `files`, removed after the test. */
export function folderWith(context: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-config-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content, { mode: 0o600 });
  }
  return folder;
}

export interface Sources {
  readonly section: SectionName;
  readonly cwd: string;
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The problems, as lines, that loading `sentinel.yaml` in `cwd` meets. */
export function problemsOf({ section, cwd, argv = [], env = {} }: Sources): string[] {
  try {
    loadConfig({ section, cwd, argv: ['--config', 'sentinel.yaml', ...argv], env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

/** What the command line answers in place of starting. */
export function answerOf({ section, cwd, argv = [], env = {} }: Sources): string {
  try {
    loadConfig({ section, cwd, argv: ['--config', 'sentinel.yaml', ...argv], env });
  } catch (error) {
    if (error instanceof Answer) return error.text;
    throw error;
  }
  throw new Error('the configuration was loaded');
}
