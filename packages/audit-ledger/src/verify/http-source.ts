/**
 * A log as the HTTP port of its ledger serves it: C2SP paths, and the audit query for the details. What the ledger says its
 * disk no longer gives back is given on as nothing, so that the verifier finds it missing.
 */
import { tilePath } from '../tiles/path.js';
import { type ClaimedPruned, type LogSource, NOTHING_PRUNED, type Opening, SourceError } from './source.js';

export type FetchLike = (url: string) => Promise<{ ok: boolean; status: number; arrayBuffer(): Promise<ArrayBuffer> }>;

interface JsonPage {
  readonly entries?: readonly {
    readonly seq?: string;
    readonly leaf?: string;
    readonly detailSalt?: string;
    readonly detail?: string;
    readonly detailPruned?: boolean;
  }[];
}

interface JsonPruned {
  readonly leavesEnd?: string;
  readonly detailsEnd?: string;
  readonly entries?: readonly string[];
}

interface Listed extends Opening {
  readonly leaf: Buffer;
  readonly pruned: boolean;
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
    pruned: () => source.pruned(),
    rotations: () => source.rotations(),
    keptLeaves: (from, to) => source.listed(from, to),
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
    const answer = await this.#ask(path);
    if (answer.ok) return answer.body;
    const { code, message } = errorOf(answer.body);
    // With 503 the server refuses to serve anything at all.
    if (code === 'DATA_LOSS' && answer.status !== 503) return undefined;
    throw new SourceError(`${this.#base}/${path} answered ${answer.status}${message === '' ? '' : ` (${message})`}`);
  }

  /** A ledger of an earlier version has no such path, and prunes nothing. */
  async pruned(): Promise<ClaimedPruned> {
    const answer = await this.#ask('api/v1/pruned');
    if (answer.status === 404) return NOTHING_PRUNED;
    const { leavesEnd, detailsEnd, entries = [] } = parsed<JsonPruned>(answer.body) ?? this.#fail('api/v1/pruned');
    const announced: Opening[] = [];
    for (const seq of entries.map(Number))
      for await (const some of this.openings(seq, seq + 1)) announced.push(...some);
    return { leaves: Number(leavesEnd ?? '0'), details: Number(detailsEnd ?? '0'), announced };
  }

  /** A ledger of an earlier version has no such path, and one key. */
  async rotations(): Promise<readonly Opening[]> {
    const answer = await this.#ask('api/v1/keys');
    if (answer.status === 404) return [];
    const { entries = [] } = parsed<{ entries?: readonly number[] }>(answer.body) ?? this.#fail('api/v1/keys');
    const found: Opening[] = [];
    for (const seq of entries.map(Number)) for await (const some of this.openings(seq, seq + 1)) found.push(...some);
    return found;
  }

  async *openings(from: number, to: number): AsyncGenerator<readonly Opening[]> {
    for await (const page of this.#pages(from, to)) yield page.filter(({ pruned }) => !pruned);
  }

  async #ask(path: string): Promise<{ ok: boolean; status: number; body: Buffer }> {
    const answer = await this.#fetch(`${this.#base}/${path}`).catch((error: unknown) => {
      throw new SourceError(`cannot reach ${this.#base}: ${error instanceof Error ? error.message : String(error)}`);
    });
    return { ok: answer.ok, status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
  }

  /** Entries [from, to) whose leaves are there. */
  async *listed(from: number, to: number): AsyncGenerator<Listed> {
    for await (const page of this.#pages(from, to)) yield* page;
  }

  async *#pages(from: number, to: number): AsyncGenerator<readonly Listed[]> {
    let limit = PAGE_ENTRIES;
    for (let next = from; next < to; ) {
      const page = await this.#page(next, limit);
      if (page === undefined) {
        if (limit === 1) next += 1;
        else limit = Math.ceil(limit / PAGE_STEP);
        continue;
      }
      const news = page.filter(({ seq }) => seq >= next && seq < to);
      yield news;
      const last = news.at(-1);
      if (last === undefined) return;
      next = last.seq + 1;
      limit = Math.min(limit * PAGE_STEP, PAGE_ENTRIES);
    }
  }

  async #page(from: number, limit: number): Promise<Listed[] | undefined> {
    const query = new URLSearchParams({ order: 'asc', limit: String(limit), page_token: `from:${from}` });
    const body = await this.get(`api/v1/audit?${query.toString()}`);
    if (body === undefined) return undefined;
    const { entries = [] } = parsed<JsonPage>(body) ?? this.#fail('api/v1/audit');
    return entries.map(({ seq, leaf, detailSalt, detail, detailPruned }) => ({
      seq: Number(seq ?? '0'),
      leaf: decode(leaf),
      pruned: detailPruned === true,
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
