import type { HelloRecord } from '@sentinel/correlation-engine/core';
import type { Source } from '../faults/source.js';
import type { Random } from '../random.js';
import type { FleetSpec } from '../scenario/scenario.js';
import type { Cadence } from './families.js';
import type { Series } from './series.js';

export interface SimulatedNode {
  readonly name: string;
  readonly spoolId: string;
  /** How far its clock is ahead, microseconds. */
  readonly skewUs: number;
  readonly gpus: SimulatedGpu[];
  sequence: number;
  build: number;
  driver: string;
  /** Its agent runs. */
  up: boolean;
}

export interface SimulatedGpu {
  readonly index: number;
  readonly id: string;
  readonly node: SimulatedNode;
  readonly sms: readonly number[];
  readonly sources: Source[];
  readonly random: Random;
  /** Work that the engine ordered, by directive. */
  readonly series: Map<string, Series[]>;
  /** Until when the engine has been told of its clean executions. */
  toldUs: number;
  /** Changes when what was planned for it is out of date. */
  generation: number;
}

export function makeFleet(spec: FleetSpec, random: (...name: (string | number)[]) => Random): SimulatedNode[] {
  const sms = Array.from({ length: spec.sms }, (_, sm) => sm);
  const nodes: SimulatedNode[] = [];
  for (let first = 0; first < spec.gpus; first += spec.gpusPerNode) {
    const number = nodes.length;
    const skew = (2 * random('skew', number).uniform() - 1) * spec.clockSkewSeconds;
    const node: SimulatedNode = {
      name: `node-${String(number).padStart(5, '0')}`,
      spoolId: number.toString(16).padStart(32, '0'),
      skewUs: Math.round(skew * 1e6),
      gpus: [],
      sequence: 0,
      build: 1,
      driver: spec.driver,
      up: true,
    };
    for (let index = first; index < Math.min(spec.gpus, first + spec.gpusPerNode); index += 1) {
      const id = `GPU-${index.toString(16).padStart(8, '0')}-0000-4000-8000-${'0'.repeat(12)}`;
      const own = { sources: [], random: random('gpu', index), series: new Map(), toldUs: 0, generation: 0 };
      node.gpus.push({ index, id, node, sms, ...own });
    }
    nodes.push(node);
  }
  return nodes;
}

export function helloOf(
  node: SimulatedNode,
  spec: FleetSpec,
  cadences: readonly Cadence[],
  nowUs: number,
): HelloRecord {
  const devices = node.gpus.map(({ id, sms, index }) => ({
    id,
    model: spec.model,
    vendor: 'simulated',
    sms,
    driverVersion: node.driver,
    serial: `serial-${index}`,
    note: '',
    families: cadences.map(({ family }) => ({
      family,
      probeVersion: 1,
      selfTestSmsRun: sms.length,
      selfTestSmsPassed: spec.selfTested ? sms.length : 0,
      instructions: [],
    })),
  }));
  return {
    kind: 'hello',
    node: node.name,
    identity: 'certificate',
    buildId: `build-${node.build}`,
    testBuild: false,
    agentTimeUs: nowUs + node.skewUs,
    devices,
  };
}
