import { OPENAI_ROUTES } from '../sampling/openai-request.js';
import type { Head } from './head.js';

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * The server may get it twice: its method says so, or it does nothing but compute an answer, whatever its method says.
 * Not an inference of KServe v2, whose sequences go on with each request.
 */
export function isRepeatable({ method, path }: Pick<Head, 'method' | 'path'>): boolean {
  if (IDEMPOTENT.has(method)) return true;
  return method === 'POST' && Object.hasOwn(OPENAI_ROUTES, path.split('?', 1)[0] ?? '');
}
