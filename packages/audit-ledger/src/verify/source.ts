/** Where a verifier gets a log from. Nothing it says is believed. */
import { type Tile, tilePath } from '../tiles/path.js';

export interface Opening {
  readonly seq: number;
  readonly salt: Uint8Array;
  readonly detail: Uint8Array;
}

export interface LogSource {
  /** The newest signed checkpoint. */
  checkpoint(): Promise<string>;
  tile(tile: Tile): Promise<Uint8Array>;
  /** Salts and details of entries [from, to), ascending; one that is not there is left out. Absent: details are not checked. */
  openings?(from: number, to: number): AsyncIterable<Opening>;
  /** Asked for after the walk: damage that the source itself saw. */
  faults?(): Promise<readonly SourceFault[]>;
}

/** Something wrong around entries [first, last], which matters where none of them is found altered itself. */
export interface SourceFault {
  readonly first: number;
  readonly last: number;
  readonly what: string;
}

/** The source could not be read: this says nothing about the log. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

export type FetchLike = (url: string) => Promise<{ ok: boolean; status: number; arrayBuffer(): Promise<ArrayBuffer> }>;

interface JsonPage {
  readonly entries?: readonly { readonly seq?: string; readonly detailSalt?: string; readonly detail?: string }[];
  readonly nextPageToken?: string;
}

const PAGE_ENTRIES = 1000;

/** The ledger's HTTP port: C2SP paths, and its audit query for the details. `base` has no trailing slash. */
export function httpSource(base: string, fetch: FetchLike): LogSource {
  const get = async (path: string): Promise<Buffer> => {
    const answer = await fetch(`${base}/${path}`).catch((error: unknown) => {
      throw new SourceError(`cannot reach ${base}: ${error instanceof Error ? error.message : String(error)}`);
    });
    if (!answer.ok) throw new SourceError(`${base}/${path} answered ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  };
  return {
    checkpoint: async () => (await get('checkpoint')).toString('utf8'),
    tile: async (tile) => await get(tilePath(tile)),
    async *openings(from, to) {
      let token: string | undefined = `from:${from}`;
      while (token !== undefined) {
        const query = new URLSearchParams({ order: 'asc', limit: String(PAGE_ENTRIES), page_token: token });
        const page = JSON.parse((await get(`api/v1/audit?${query.toString()}`)).toString('utf8')) as JsonPage;
        for (const entry of page.entries ?? []) {
          const seq = Number(entry.seq ?? '0');
          if (seq >= to) return;
          yield { seq, salt: decode(entry.detailSalt), detail: decode(entry.detail) };
        }
        token = page.nextPageToken === undefined || page.nextPageToken === '' ? undefined : page.nextPageToken;
      }
    },
  };
}

function decode(base64: string | undefined): Buffer {
  return Buffer.from(base64 ?? '', 'base64');
}
