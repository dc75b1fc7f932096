import type { About } from './about.js';
import type { Asked } from './check-question.js';

export type Configured = Pick<About, 'configHash' | 'serverHash' | 'model'>;

/**
 * Whether two replicas of whom this is asked compute the same. Canaries and requests are put to the server itself, with a library in it or
 * without: where one of two has none, what the servers tell decides. Checksums and block means are of what watches, and need the same.
 */
export function isComparable(asking: Configured, own: Configured, asked: Asked['$case']): boolean {
  if (!isSameModel(asking.model, own.model)) return false;
  if (own.configHash !== '' && asking.configHash === own.configHash) return true;
  if (asked !== 'canary' && asked !== 'replay') return false;
  const bothTell = hasLibrary(asking) && hasLibrary(own);
  return !bothTell && own.serverHash !== '' && asking.serverHash === own.serverHash;
}

function hasLibrary({ configHash, serverHash }: Configured): boolean {
  return configHash !== serverHash;
}

/** Where a model has no name of its own it is called by its folder, which may lie elsewhere. */
function isSameModel(one: string, other: string): boolean {
  return one === '' || other === '' || nameOf(one) === nameOf(other);
}

function nameOf(model: string): string {
  return model.startsWith('/') ? (model.replace(/\/+$/, '').split('/').at(-1) ?? '') : model;
}
