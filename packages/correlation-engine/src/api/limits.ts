import { SentinelError } from '@sentinel/service-kit/errors';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/** Entries of a page: 0 asks for the default. @throws SentinelError INVALID_ARGUMENT */
export function pageLimit(limit: number): number {
  if (limit === 0) return DEFAULT_LIMIT;
  if (limit <= MAX_LIMIT) return limit;
  throw new SentinelError({
    code: 'INVALID_ARGUMENT',
    message: `limit ${limit} is above ${MAX_LIMIT}`,
    field: 'limit',
    hint: 'Follow next_page_token for more.',
  });
}

export function badPageToken(): SentinelError {
  return new SentinelError({
    code: 'INVALID_ARGUMENT',
    message: 'the page token is none that this service gave',
    field: 'page_token',
    hint: 'Leave it empty to begin anew.',
  });
}
