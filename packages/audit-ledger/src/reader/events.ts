/** Business facts of a reader, counted and logged. */
import type { Logger } from '@sentinel/service-kit/logging';
import { Counter, type Registry, readGauge } from '@sentinel/service-kit/metrics';
import type { FollowerEvents } from './follower.js';
import type { FollowingState } from './following.js';
import { UnverifiableError } from './verified-tree.js';

export interface ReaderEvents extends FollowerEvents {
  callRefused(): void;
}

export function createReaderEvents(registry: Registry, log: Logger, state: () => FollowingState): ReaderEvents {
  const registers = [registry];
  const gauge = (name: string, help: string, value: (state: FollowingState) => number): void =>
    readGauge(registry, name, help, () => value(state()));
  gauge('sentinel_audit_chain_length', 'Entries in the log.', ({ entries }) => entries);
  gauge(
    'sentinel_audit_reader_serving',
    '1: this reader serves. 0: it has no checkpoint that it could verify, or has not seen its writer for too long, or met a forked log.',
    ({ serving }) => Number(serving),
  );
  gauge(
    'sentinel_audit_fork_detected',
    '1: CRITICAL, the log was forked or rolled back, and this reader stopped. Keep the evidence file; sentinel audit evidence FILE says what it proves.',
    ({ stopped }) => Number(stopped),
  );
  gauge(
    'sentinel_audit_checkpoint_age_seconds',
    'Seconds since this reader last saw the newest checkpoint of its writer. Rising: look at the store.',
    ({ silentMs }) => silentMs / 1000,
  );
  const refused = new Counter({
    name: 'sentinel_audit_refused_total',
    help: 'Calls that were refused.',
    labelNames: ['reason'] as const,
    registers,
  });
  refused.inc({ reason: 'call' }, 0);
  const looks = new Counter({
    name: 'sentinel_audit_reader_failed_looks_total',
    help: 'Looks at the store that failed. unreadable: look at the store. unverifiable: it holds something else than was signed, or its writer is starting.',
    labelNames: ['reason'] as const,
    registers,
  });
  for (const reason of ['unreadable', 'unverifiable']) looks.inc({ reason }, 0);
  let said = '';
  return {
    callRefused: () => refused.inc({ reason: 'call' }),
    grown: (size) => log.debug({ entries: size }, 'a newer checkpoint was verified'),
    unsettled: (error) => {
      if (error !== null) looks.inc({ reason: error instanceof UnverifiableError ? 'unverifiable' : 'unreadable' });
      const message = error?.message ?? '';
      if (message === said) return;
      said = message;
      if (error === null) log.info('the store can be read and verified again');
      else log.warn({ err: error }, `the newest checkpoint is not served: ${message}`);
    },
    handedOver: (from, to, seq) =>
      log.warn({ from, to, seq }, 'the log was handed over to another key, by an entry that both keys signed'),
    stopped: (reason, evidence, file) =>
      log.error(
        { file, evidence },
        `CRITICAL: the log is forked or was rolled back, this reader stops serving: ${reason}. Keep the evidence; a restart does not go on by itself`,
      ),
  };
}
