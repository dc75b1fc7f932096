import { dropSituations, healthyUplink, infoOf, kindOf, uplinkSituations } from './monitors.js';
import type { Situation } from './situation.js';

const KIND = kindOf('Inference', 9093);
const { monitor: MONITOR, other: OTHER } = KIND;
const INFO = infoOf(KIND);
const INJECTOR = 'job="sentinel-sidecar-injector",instance="injector:9095"';
const DROPPED = 'sentinel_inference_sender_dropped_total';
const RACK_7 = { node: 'rack-7' };

/** Of two nodes on which nothing is wrong: a sidecar through which requests pass, and a monitor that only hears the library. */
export const HEALTHY_INFERENCE: Readonly<Record<string, string>> = {
  [`sentinel_inference_front_serving{${MONITOR}}`]: '1x180',
  [`sentinel_inference_front_serving{${OTHER}}`]: '0x180',
  [`sentinel_inference_front_restarts{${MONITOR}}`]: '1x90 0x90',
  [`sentinel_inference_front_unavailable{${MONITOR}}`]: '4x90 5x90',
  [`sentinel_inference_contradictions{${MONITOR},kind="canary"}`]: '0x180',
  [`sentinel_inference_replicas_asked_total{${MONITOR},outcome="answered"}`]: '0+2x180',
  [`sentinel_inference_replicas_asked_total{${MONITOR},outcome="away"}`]: '0+1x180',
  [`sentinel_injector_reviews_total{${INJECTOR},outcome="failed"}`]: '1x180',
  [`sentinel_injector_reviews_total{${INJECTOR},outcome="injected"}`]: '0+1x180',
  [`${DROPPED}{${MONITOR}}`]: '7x180',
  ...healthyUplink(KIND),
};

/** Of inference.rules.yaml: what monitors of inference see, and whether requests pass them. */
export const INFERENCE_SITUATIONS: readonly Situation[] = [
  {
    alert: 'InferenceFrontDown',
    what: 'the front does not start again; a monitor that only hears the library never had one',
    series: {
      [`sentinel_inference_front_serving{${MONITOR}}`]: '1x29 0x170',
      [`sentinel_inference_front_serving{${OTHER}}`]: '0x200',
      ...INFO,
    },
    quietAt: [29, 30],
    firesAt: 35,
    labels: RACK_7,
    severity: 'critical',
    summary: 'No requests pass the inference sidecar of node rack-7.',
  },
  {
    alert: 'InferenceFrontRestarted',
    what: 'the front dies once; its count begins anew when the monitor is restarted',
    series: { [`sentinel_inference_front_restarts{${MONITOR}}`]: '3x29 0x19 1x150', ...INFO },
    quietAt: [29, 35, 48, 65],
    firesAt: 52,
    labels: RACK_7,
    severity: 'high',
    summary: 'The front of the inference sidecar of node rack-7 died and was started again.',
  },
  {
    alert: 'InferenceServerAway',
    what: 'requests are answered 502 for minutes; a restart of the server is nothing',
    series: { [`sentinel_inference_front_unavailable{${MONITOR}}`]: '0x19 9x40 9+5x30 160x100', ...INFO },
    quietAt: [19, 22, 62, 110],
    firesAt: 75,
    labels: RACK_7,
    severity: 'warning',
    summary: 'The inference server behind the sidecar of node rack-7 does not answer.',
  },
  {
    alert: 'InferenceReplicasNotCompared',
    what: 'no replica answers for an hour; the other monitor has one that does',
    series: {
      [`sentinel_inference_replicas_asked_total{${MONITOR},outcome="answered"}`]: '0+1x20 20x300',
      [`sentinel_inference_replicas_asked_total{${MONITOR},outcome="away"}`]: '0+1x300',
      [`sentinel_inference_replicas_asked_total{${OTHER},outcome="answered"}`]: '0+1x300',
      [`sentinel_inference_replicas_asked_total{${OTHER},outcome="away"}`]: '0+1x300',
      [`sentinel_inference_info{${MONITOR},node="rack-7",version="1"}`]: '1x300',
      [`sentinel_inference_info{${OTHER},node="rack-8",version="1"}`]: '1x300',
    },
    quietAt: [20, 60, 100],
    firesAt: 125,
    labels: RACK_7,
    severity: 'warning',
    summary: 'The replica on node rack-7 asks the others, and none has answered for an hour.',
  },
  {
    alert: 'InferenceServerVaries',
    what: 'a server that repeated itself did not once',
    series: {
      [`sentinel_inference_contradictions{${MONITOR},kind="canary"}`]: '0x29 1x60 0x100',
      [`sentinel_inference_contradictions{${OTHER},kind="canary"}`]: '0x200',
      ...INFO,
    },
    quietAt: [29, 95],
    firesAt: 31,
    labels: { node: 'rack-7', kind: 'canary' },
    severity: 'warning',
    summary: 'The inference server on node rack-7 answered the same canary in two ways.',
    description:
      'It had been shown to repeat itself bit for bit, and did not in 1 of its newest 64 rounds: its device computes wrong now and then, or the server was changed without a restart of the monitor.',
  },
  {
    alert: 'InjectorFailing',
    what: 'a pod goes without the sidecar because the injector failed; pods that did not ask are nothing',
    series: {
      [`sentinel_injector_reviews_total{${INJECTOR},outcome="failed"}`]: '0x49 1x150',
      [`sentinel_injector_reviews_total{${INJECTOR},outcome="not_asked"}`]: '0+5x200',
    },
    quietAt: [49, 65],
    firesAt: 55,
    labels: { outcome: 'failed' },
    severity: 'warning',
    summary: 'The sidecar injector let about 1 pod(s) through as they were, because it failed (failed).',
  },
  ...uplinkSituations(
    KIND,
    'On node rack-7 a sender was refused, or the engine refused what the inference monitor found.',
  ),
  ...dropSituations(KIND, DROPPED, 'The server on node rack-7 is sampled faster than the inference monitor analyses.'),
];
