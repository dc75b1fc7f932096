import {
  type CanaryOutcome,
  type GetTrustGraphResponse,
  CanaryOutcome_Outcome as Outcome,
  type TrustEdge,
  type TrustedDevice,
} from '@sentinel/contracts/sentinel/v1/trust.js';
import { age, count, familyName, paint, plural, time } from './format.js';
import { shortIds } from './ids.js';
import { table } from './table.js';

const DEVICES = [
  { title: 'DEVICE' },
  { title: 'NODE' },
  { title: 'TRUST', align: 'right' },
  { title: 'AGREED', align: 'right' },
  { title: 'DISAGREED', align: 'right' },
] as const;
const EDGES = [
  { title: 'DEVICE' },
  { title: 'AND' },
  { title: 'DISAGREED', align: 'right' },
  { title: 'LAST' },
] as const;
const CANARIES = [{ title: 'CLOSED' }, { title: 'FAMILY' }, { title: 'OUTCOME' }, { title: 'WHO' }] as const;

type Short = (gpu: string) => string;

/** Least trusted devices, who disagreed with whom, and the newest canaries. */
export function trustView(graph: GetTrustGraphResponse, nowUs: bigint): string {
  const goldens = graph.brokenGoldens.map(({ node, family, sinceUs }) =>
    paint(
      'red',
      `The expected values of ${node} for ${familyName(family)} differ from those of most nodes since ${age(sinceUs, nowUs)}: its results are not believed. Check its CPU, memory and build.`,
    ),
  );
  if (graph.devices.length === 0 && goldens.length === 0)
    return 'No devices have been compared yet. It takes three devices of one kind, and a canary (tmr.interval_seconds).';
  const ids = [...graph.devices.map(({ gpu }) => gpu), ...graph.canaries.flatMap(({ gpus }) => [...gpus])];
  const names = shortIds([...new Set(ids)]);
  const short: Short = (gpu) => names.get(gpu) ?? gpu;
  const disagreements = graph.edges.filter(({ disagreed }) => disagreed > 0n);
  return [
    ...goldens,
    `Who computed the same as others, ${time(graph.atUs)}: ${plural(graph.edgeCount, 'pair')} compared. It decides nothing by itself.`,
    table(
      DEVICES,
      graph.devices.map((device) => deviceCells(device, short)),
    ),
    disagreements.length === 0
      ? 'No two of them ever disagreed.'
      : table(
          EDGES,
          disagreements.map((edge) => edgeCells(edge, short, nowUs)),
        ),
    ...(graph.canaries.length === 0
      ? []
      : [
          table(
            CANARIES,
            graph.canaries.map((canary) => canaryCells(canary, short, nowUs)),
          ),
        ]),
  ].join('\n\n');
}

function deviceCells({ gpu, node, trust, agreed, disagreed }: TrustedDevice, short: Short): string[] {
  const shown = trust.toFixed(3);
  return [short(gpu), node, disagreed > 0n ? paint('red', shown) : shown, count(agreed), count(disagreed)];
}

function edgeCells({ gpuA, gpuB, agreed, disagreed, lastUs }: TrustEdge, short: Short, nowUs: bigint): string[] {
  return [short(gpuA), short(gpuB), `${count(disagreed)} of ${count(agreed + disagreed)}`, age(lastUs, nowUs)];
}

function canaryCells(canary: CanaryOutcome, short: Short, nowUs: bigint): string[] {
  return [age(canary.closedUs, nowUs), familyName(canary.family), OUTCOMES[canary.outcome] ?? '', who(canary, short)];
}

const OUTCOMES: Readonly<Record<number, string>> = {
  [Outcome.AGREED]: 'all agree',
  [Outcome.DISSENT]: 'outvoted',
  [Outcome.NO_MAJORITY]: 'no two agree',
  [Outcome.TIMEOUT]: 'no vote',
};

function who({ outcome, gpus, dissenters, silent }: CanaryOutcome, short: Short): string {
  if (outcome === Outcome.DISSENT) return dissenters.map(short).join(', ');
  if (silent.length > 0) return `no answer from ${silent.map(short).join(', ')}`;
  return gpus.map(short).join(', ');
}
