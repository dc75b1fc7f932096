/**
 * A log as the HTTP port of its ledger serves it: C2SP paths, and the audit query for the details. What the ledger says its
 * disk no longer gives back is given on as nothing, so that the verifier finds it missing.
 */
import { tilePath } from '../tiles/path.js';
import { type LogSource, type Opening, SourceError } from './source.js';

export type FetchLike = (url: string) => Promise<{ ok: boolean; status: number; arrayBuffer(): Promise<ArrayBuffer> }>;

interface JsonPage {
  readonly entries?: readonly { readonly seq?: string; readonly detailSalt?: string; readonly detail?: string }[];
}

interface JsonError {
  readonly error?: { readonly code?: string; readonly message?: string };
}

const PAGE_ENTRIES = 1000;
/** By how much a page shrinks around what is damaged, and grows again behind it. */
const PAGE_STEP = 10;

/** `base` has no trailing slash. */
export function httpSource(base: string, fetch: FetchLike): LogSource {
  const source = new HttpSource(base, fetch);
  return {
    checkpoint: async () => ((await source.get('checkpoint')) ?? Buffer.alloc(0)).toString('utf8'),
    tile: async (tile) => (await source.get(tilePath(tile))) ?? Buffer.alloc(0),
    openings: (from, to) => source.openings(from, to),
  };
}

class HttpSource {
  readonly #base: string;
  readonly #fetch: FetchLike;

  constructor(base: string, fetch: FetchLike) {
    this.#base = base;
    this.#fetch = fetch;
  }

  /** Undefined where the ledger found it damaged. @throws SourceError */
  async get(path: string): Promise<Buffer | undefined> {
    const answer = await this.#fetch(`${this.#base}/${path}`).catch((error: unknown) => {
      throw new SourceError(`cannot reach ${this.#base}: ${error instanceof Error ? error.message : String(error)}`);
    });
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.ok) return body;
    const { code, message } = errorOf(body);
    if (code === 'DATA_LOSS') return undefined;
    throw new SourceError(`${this.#base}/${path} answered ${answer.status}${message === '' ? '' : ` (${message})`}`);
  }

  async *openings(from: number, to: number): AsyncGenerator<Opening> {
    let limit = PAGE_ENTRIES;
    for (let next = from; next < to; ) {
      const page = await this.#page(next, limit);
      if (page === undefined) {
        if (limit === 1) next += 1;
        else limit = Math.ceil(limit / PAGE_STEP);
        continue;
      }
      const news = page.filter(({ seq }) => seq >= next && seq < to);
      yield* news;
      const last = news.at(-1);
      if (last === undefined) return;
      next = last.seq + 1;
      limit = Math.min(limit * PAGE_STEP, PAGE_ENTRIES);
    }
  }

  async #page(from: number, limit: number): Promise<Opening[] | undefined> {
    const query = new URLSearchParams({ order: 'asc', limit: String(limit), page_token: `from:${from}` });
    const body = await this.get(`api/v1/audit?${query.toString()}`);
    if (body === undefined) return undefined;
    const { entries = [] } = parsed<JsonPage>(body) ?? this.#fail('api/v1/audit');
    return entries.map(({ seq, detailSalt, detail }) => ({
      seq: Number(seq ?? '0'),
      salt: decode(detailSalt),
      detail: decode(detail),
    }));
  }

  #fail(path: string): never {
    throw new SourceError(`${this.#base}/${path} did not answer in JSON`);
  }
}

function errorOf(body: Buffer): { readonly code: string; readonly message: string } {
  const { code = '', message = '' } = parsed<JsonError>(body)?.error ?? {};
  return { code, message };
}

function parsed<T extends object>(body: Buffer): T | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

function decode(base64: string | undefined): Buffer {
  return Buffer.from(base64 ?? '', 'base64');
}
