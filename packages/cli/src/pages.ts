/** Entries of one page: the services' own limit. */
const MAX_PAGE = 1000;
/** A service that gives ever new tokens is not followed for ever. */
const MAX_PAGES = 1000;

export interface Page<T> {
  readonly items: readonly T[];
  /** Empty = the last one. */
  readonly nextPageToken: string;
}

/** At most `limit` items of a paged answer, in order. Pages may be empty and yet not the last. */
export async function collect<T>(
  limit: number,
  fetchPage: (token: string, wanted: number) => Promise<Page<T>>,
): Promise<T[]> {
  const items: T[] = [];
  let token = '';
  for (let page = 0; page < MAX_PAGES && items.length < limit; page += 1) {
    const found = await fetchPage(token, Math.min(MAX_PAGE, limit - items.length));
    items.push(...found.items);
    token = found.nextPageToken;
    if (token === '') break;
  }
  return items.slice(0, limit);
}
