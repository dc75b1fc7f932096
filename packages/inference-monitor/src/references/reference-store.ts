import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '@sentinel/service-kit/files';
import type { Logger } from '@sentinel/service-kit/logging';
import type { ModelState } from '../analysers/model-analysis.js';
import type { ModelKey } from '../grouping/models.js';

/** Files; the oldest make room. */
export const MAX_FILES = 128;

/** Of the content; another one is not read. */
const VERSION = 1;
const FORMAT = 'sentinel inference references';
const ENDING = '.json';
const NAME_DIGITS = 32;

/** What models have shown, kept over a restart: one file for each replica, model and configuration, a header with a checksum and one line. */
export class ReferenceStore {
  readonly #folder: string;
  readonly #log: Logger;

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Undefined where nothing is known, or what is there cannot be used: that is said, and the model is learnt anew. */
  load(key: ModelKey): ModelState | undefined {
    const file = this.#fileOf(key);
    const content = read(file);
    if (content === undefined) return undefined;
    try {
      return parse(content, key);
    } catch (error) {
      const { message: reason } = error as Error;
      this.#log.warn({ file, model: key.model, reason }, 'references cannot be used: the model is learnt anew');
      return undefined;
    }
  }

  /** Replaces what is kept. A disk that takes nothing is said, and what was learnt is kept in memory alone. */
  save(key: ModelKey, state: ModelState): void {
    const file = this.#fileOf(key);
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileDurably(file, render(key, state));
      this.#makeRoom();
    } catch (error) {
      this.#log.error({ err: error, file }, 'references are not kept: a restart would learn them anew');
    }
  }

  #fileOf(key: ModelKey): string {
    const name = sha256(textOf(key));
    return join(this.#folder, `${name.slice(0, NAME_DIGITS)}${ENDING}`);
  }

  #makeRoom(): void {
    const files = readdirSync(this.#folder).filter((name) => name.endsWith(ENDING));
    if (files.length <= MAX_FILES) return;
    const byAge = files
      .map((name) => ({ path: join(this.#folder, name), ms: statSync(join(this.#folder, name)).mtimeMs }))
      .sort((a, b) => a.ms - b.ms);
    for (const { path } of byAge.slice(0, files.length - MAX_FILES)) rmSync(path, { force: true });
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function render(key: ModelKey, state: ModelState): string {
  const body = JSON.stringify({ key, state });
  return `${JSON.stringify({ format: FORMAT, version: VERSION, sha256: sha256(body) })}\n${body}\n`;
}

/** @throws Error saying why it cannot be used */
function parse(content: string, key: ModelKey): ModelState {
  const [header = '', body = ''] = content.split('\n');
  const { format, version, sha256: checksum } = JSON.parse(header) as Record<string, unknown>;
  if (format !== FORMAT) throw new Error('it is another kind of file');
  if (version !== VERSION) throw new Error(`it is of version ${version}, not ${VERSION}`);
  if (checksum !== sha256(body)) throw new Error('its checksum does not fit: it is damaged');
  const { key: whose, state } = JSON.parse(body) as { key: ModelKey; state: ModelState };
  if (textOf(whose) !== textOf(key)) throw new Error('it is of another model');
  return state;
}

function textOf({ replica, model, configHash, framework }: ModelKey): string {
  return JSON.stringify([replica, model, configHash, framework]);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
