import { Gauge, type Registry, readGauge } from '@sentinel/service-kit/metrics';
import { type FrontCounts, zeroCounts } from '../front/counts.js';

export interface ObservedFront {
  /** The newest that the front has told. */
  readonly counts: FrontCounts;
  readonly restarts: number;
  readonly serving: boolean;
}

type Plain = Exclude<keyof FrontCounts, 'doubts'>;

const HELP: Readonly<Record<Plain, string>> = {
  connections: 'Connections of clients that are open.',
  requests: 'Requests that passed the front since it began.',
  sampled: 'Of them those that were looked at. 0 while requests pass: sampling_rate is 0, or the doubts say why.',
  unavailable: 'Answers 502: the inference server was not there; see its log.',
  resent:
    'Requests sent once more: the server closed a used connection as they were sent. Growing: its keep-alive is short.',
  refused:
    'Connections closed, and requests over HTTP/2 refused, since too many were open or too much waits for clients that read slowly: more replicas, or more memory.',
  tunnels: 'Connections that the front does not understand and lets through unsampled.',
  dropped: 'Records that the front dropped: the analyser was away or slow.',
  failures: 'Mistakes of the front itself, which passed the request on: see the log, and report them.',
};

/** What the front counts, as the analyser has heard it last. @param front null where no traffic passes */
export function registerFront(registry: Registry, front: () => ObservedFront | null): void {
  for (const [name, help] of Object.entries(HELP))
    readGauge(registry, `sentinel_inference_front_${name}`, help, () => front()?.counts[name as Plain] ?? 0);
  readGauge(
    registry,
    'sentinel_inference_front_restarts',
    'Fronts that died and were started again: see the log.',
    () => front()?.restarts ?? 0,
  );
  readGauge(
    registry,
    'sentinel_inference_front_serving',
    '1 while requests pass. 0: the log says which setting is missing.',
    () => Number(front()?.serving ?? false),
  );
  new Gauge({
    name: 'sentinel_inference_front_doubts',
    help: 'Requests that were drawn and passed unsampled, by reason; route and coding are no matter.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      const { doubts } = front()?.counts ?? zeroCounts();
      for (const [reason, count] of Object.entries(doubts)) this.set({ reason }, count);
    },
  });
}
