import type { HelloRecord } from '../core.js';
import { FAMILIES, SMS } from '../store/history/testing/node-day.js';

/** What a node with these GPUs says when its agent starts. */
export function nodeHello(node: string, devices: readonly string[], agentTimeUs: number): HelloRecord {
  const families = FAMILIES.map(([family]) => ({
    family,
    probeVersion: 1,
    selfTestSmsRun: SMS,
    selfTestSmsPassed: SMS,
    instructions: [],
  }));
  return {
    kind: 'hello',
    node,
    identity: 'shared key',
    buildId: '0.1.0-alpha+4bf5283',
    testBuild: false,
    agentTimeUs,
    devices: devices.map((id) => ({
      id,
      model: 'NVIDIA H100 80GB HBM3',
      vendor: 'NVIDIA',
      sms: Array.from({ length: SMS }, (_, sm) => sm),
      driverVersion: '580.82.07',
      vbiosVersion: '96.00.A5.00.01',
      cudaVersion: '13.0',
      serial: '1650923000000',
      note: '',
      families,
    })),
  };
}
