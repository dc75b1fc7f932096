/** What confirms a plan: it names the checkpoint that was shown with it, and is worth nothing for another plan or another log. */
import { canonicalJson } from '../detail/canonical.js';
import type { Checkpoint } from '../note/checkpoint.js';
import { sha256 } from '../tree/hash.js';
import { isEmpty, type PrunePlan } from './plan.js';
import { scopeJson } from './scope.js';

const TOKEN = /^(\d{1,16})-[0-9a-f]{32}$/;

/** Empty where nothing would go. */
export function confirmToken(plan: PrunePlan, { origin, size, root }: Checkpoint): string {
  if (isEmpty(plan)) return '';
  const { request, scopes, leaves, details, goneLeaves, goneDetails } = plan;
  const bound = canonicalJson({
    before: [request.detailsBeforeUs ?? null, request.leavesBeforeUs ?? null],
    ends: [leaves, details],
    gone: [goneLeaves, goneDetails],
    holds: scopes.map(scopeJson),
    origin,
    root: Buffer.from(root).toString('hex'),
    size,
  });
  return `${size}-${sha256(Buffer.from(bound)).subarray(0, 16).toString('hex')}`;
}

/** Size of the checkpoint that a token names; undefined for what is no token. */
export function tokenSize(token: string): number | undefined {
  const size = TOKEN.exec(token)?.[1];
  return size === undefined ? undefined : Number(size);
}
