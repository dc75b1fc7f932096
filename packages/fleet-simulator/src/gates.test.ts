import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ALL_GATES } from '@sentinel/correlation-engine/core';
import { type Summary, summarize } from './report/summary.js';
import { parseScenario } from './scenario/read.js';
import { simulate } from './simulate.js';

type Gate = Parameters<(typeof ALL_GATES)['has']>[0];

/** A fleet for which one figure of the report depends on one gate. */
interface Mutant {
  /** What happens without the gate. */
  readonly without: string;
  readonly faults: string;
  /** More keys of the scenario. */
  readonly more?: string;
  readonly gpusPerNode?: number;
  readonly figure: (report: Summary) => number | null;
  /** Of the figure with all gates, and without this one. */
  readonly right: (all: number | null, without: number | null) => boolean;
}

const falseQuarantines = (report: Summary): number => report.falseQuarantines;
const quarantineHours = ({ faults }: Summary): number | null => faults[0]?.quarantine.median ?? null;

const MUTANTS: Readonly<Record<Gate, Mutant>> = {
  integrity: {
    without: 'a spoiled golden makes its GPUs suspects',
    faults: '{ kind: software, family: fma32, rate: 0.3, node: 0, golden: damaged }',
    figure: ({ falseSuspects }) => falseSuspects,
    right: (all, without) => all === 0 && Number(without) > 0,
  },
  locality: {
    without: 'a GPU is out whose SMs all give the same wrong result',
    faults: '{ kind: software, family: fma32, rate: 1, digest: shared, node: 0 }',
    gpusPerNode: 1,
    figure: falseQuarantines,
    right: (all, without) => all === 0 && without === 1,
  },
  cohort: {
    without: 'a build that few run has its GPUs taken out',
    faults: '{ kind: unit, gpu: 3, family: fma32, rate: 0.1, start_hours: 1 }',
    more: 'events: [{ at_hours: 0.5, what: driver_update, node: 0 }]',
    figure: quarantineHours,
    right: (all, without) => all === null && without !== null,
  },
  dwell: {
    without: 'a stuck unit is out at once',
    faults: '{ kind: unit, gpu: 3, family: fma32, rate: 1 }',
    figure: quarantineHours,
    right: (all, without) => Number(all) - Number(without) > 0.15,
  },
  breadth: {
    without: 'racy software takes GPUs out, as many as the rate limit lets',
    faults: '{ kind: software, family: fma32, rate: 0.3, fraction: 0.15, spread_hours: 0.02 }',
    gpusPerNode: 1,
    figure: falseQuarantines,
    right: (all, without) => all === 0 && Number(without) >= 2,
  },
  node: {
    without: 'a bad node has its GPUs taken out',
    faults: '{ kind: node, node: 2, rate: 1e-2 }',
    figure: falseQuarantines,
    right: (all, without) => all === 0 && Number(without) > 0,
  },
  'rate-limit': {
    without: 'all that fail are taken out within the hour',
    faults: ['fma32', 'tc_fp16', 'sfu', 'int_aes', 'regfile', 'smem']
      .map((family, i) => `{ name: ${family}, kind: unit, gpu: ${8 * i}, family: ${family}, rate: 1 }`)
      .join(', '),
    figure: ({ quarantineHours: hours }) => hours.filter((hour) => hour !== null && hour < 0.5).length,
    right: (all, without) => Number(all) <= 2 && without === 6,
  },
};

const LIMITS = 'limits: { failing_runs: 1, per_hours: 24, failures_per_directive: 2 }';

/** The report of the same fleet with these gates. */
function reportWith({ faults, more = '', gpusPerNode = 8 }: Mutant, gates = ALL_GATES): Summary {
  const fleet = `fleet: { gpus: 64, sms: 16, self_tested: false, gpus_per_node: ${gpusPerNode} }`;
  const content = `name: mutant\nhours: 6\nwarmup_hours: 24\n${fleet}\n${LIMITS}\n${more}\nfaults: [${faults}]`;
  const scenario = parseScenario('mutant.yaml', content);
  return summarize(scenario, 1, [simulate(scenario, 1, { gates })]);
}

for (const [gate, mutant] of Object.entries(MUTANTS)) {
  it(`without the ${gate} gate ${mutant.without}, which the report shows`, () => {
    const all = mutant.figure(reportWith(mutant));
    const without = mutant.figure(reportWith(mutant, new Set([...ALL_GATES].filter((name) => name !== gate))));
    assert.ok(mutant.right(all, without), `${all} with it, ${without} without`);
  });
}
