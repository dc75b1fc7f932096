/**
 * Who may log what under which name. A certificate names a component, and its producers are that component's: otherwise one that is
 * broken into could speak for another, or raise the other's high-water mark so that it is heard no more. A service token is that
 * of the whole installation and proves no component; it counts on plaintext loopback alone.
 */
import type { Identity } from '@sentinel/service-kit/auth';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { EventRequest } from '../ingest/deduplicate.js';
import { LeafType } from '../leaf/leaf.js';

/** What monitors find; decisions and what people did are the engine's to say. */
const OF_MONITORS: ReadonlySet<LeafType> = new Set([LeafType.anomaly, LeafType.agreement]);
/** Common names of certificates whose producers are their own. */
const COMPONENTS: readonly string[] = ['correlation-engine', 'inference-monitor', 'training-monitor'];

/** @throws SentinelError PERMISSION_DENIED naming the field */
export function assertOwn({ role, via, subject }: Identity, { producer, drafts }: EventRequest): void {
  if (via !== 'certificate') return;
  const isComponent = role === 'engine' || role === 'monitor';
  if (isComponent && !isOf(subject, producer))
    throw denied('producer', `the certificate of ${subject} logs as ${subject}/…, not as ${producer}`);
  if (!isComponent && COMPONENTS.some((component) => isOf(component, producer)))
    throw denied('producer', `the certificate of ${subject} is not that of ${producer}`);
  const foreign = role === 'monitor' ? drafts.findIndex(({ type }) => !OF_MONITORS.has(type)) : -1;
  if (foreign >= 0) throw denied(`events[${foreign}].type`, 'a monitor logs anomalies and agreements, nothing else');
}

function isOf(component: string, producer: string): boolean {
  return producer === component || producer.startsWith(`${component}/`);
}

function denied(field: string, message: string): SentinelError {
  return new SentinelError({
    code: 'PERMISSION_DENIED',
    field,
    message,
    hint: 'Use the certificate of the component that logs.',
  });
}
