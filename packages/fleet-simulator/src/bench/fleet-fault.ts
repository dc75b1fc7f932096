import { bench } from '@sentinel/bench-kit';
import { quantilesOf } from '../figures/quantiles.js';
import { replicates } from '../figures/replicates.js';
import { parseScenario } from '../scenario/read.js';
import type { Scenario } from '../scenario/scenario.js';
import { simulate } from '../simulate.js';

const SEED = 3;
const GPUS = 10_000;
/**
 * What everything shows, a few failures of each GPU show too, and sixteen SMs what 132 do: at least half of them pass, or they
 * do not. Two hours after the first GPU failed, an incident holds whatever the rest of the rollout brings.
 */
const FLEET = 'fleet: { gpus: GPUS, sms: 16 }\nlimits: { failing_runs: 1, per_hours: 24, failures_per_directive: 1 }';

/** Wrong programs and goldens that reach the whole fleet, family fma32 on all SMs. */
const SOFTWARE: Readonly<Record<string, { readonly hours: number; readonly fault: string }>> = {
  bad_golden: { hours: 2, fault: 'rate: 1, digest: shared, spread_hours: 24, visible: true' },
  racy_kernel: { hours: 2, fault: 'rate: 0.3, spread_hours: 24, visible: true' },
  staged_rollout: { hours: 121, fault: 'rate: 0.3, canary_nodes: 5, spread_hours: 24, visible: true' },
  hidden_sku: { hours: 6, fault: 'rate: 0.3, fraction: 0.05, spread_hours: 24, visible: true' },
  instant: { hours: 0.3, fault: `rate: 0.3, spread_hours: ${1 / 60}` },
  creeping: { hours: 240, fault: 'rate: 0.3, fraction: 0.15, spread_hours: 720, creeping: true' },
};

/** A node whose power dips five minutes an hour: all SMs of its eight GPUs fail, each execution with this probability. */
const NODE_RATES = { 'p1e-3': '1e-3', 'p1e-4': '1e-4', 'p1e-5': '1e-5' };
const NODE_RUNS = { full: 200, quick: 10 };

/** The one software fault that a quick run has time for, and how long. */
const QUICK = { name: 'racy_kernel', hours: 0.5 };

/** Faults of software and of nodes, for which no GPU is to be taken out. */
export default bench({
  name: 'fleet-fault',
  async run({ quick, log }) {
    const figures: Record<string, number> = {};
    const notRun: string[] = [];
    for (const [name, { hours, fault }] of Object.entries(SOFTWARE)) {
      if (quick && name !== QUICK.name) {
        notRun.push(...namesOf(name));
        continue;
      }
      const outcome = simulate(software(quick ? QUICK.hours : hours, fault), SEED);
      const { falseQuarantines, incidents, struck } = outcome;
      const ofNodes = incidents.filter(({ node }) => node !== '').length;
      const [quarantined = '', opened = '', cordoned = ''] = namesOf(name);
      figures[quarantined] = (100 * falseQuarantines.length) / GPUS;
      figures[opened] = incidents.length - ofNodes;
      figures[cordoned] = ofNodes;
      const affected = struck.filter(({ mismatchHours }) => mismatchHours !== null).length;
      log(`${name}: ${falseQuarantines.length} of ${affected} quarantined, ${ofNodes} nodes cordoned`);
    }
    for (const [name, rate] of Object.entries(NODE_RATES)) {
      Object.assign(figures, nodeFigures(name, rate, quick ? NODE_RUNS.quick : NODE_RUNS.full, log));
    }
    return { figures, notRun };
  },
});

function namesOf(fault: string): string[] {
  return [`${fault}_quarantined_percent`, `${fault}_incidents`, `${fault}_nodes_cordoned`];
}

function software(hours: number, fault: string): Scenario {
  const content = `name: software\nhours: ${hours}\n${FLEET.replace('GPUS', String(GPUS))}`;
  return parseScenario('software', `${content}\nfaults: [{ kind: software, family: fma32, ${fault} }]`);
}

function nodeFigures(name: string, rate: string, count: number, log: (line: string) => void): Record<string, number> {
  const fault = `{ kind: node, node: 2, rate: ${rate}, minutes_per_hour: 5 }`;
  const scenario = parseScenario('node', `name: node\nhours: 720\nfleet: { gpus: 48 }\nfaults: [${fault}]`);
  const outcomes = [...replicates(scenario, { seed: SEED, count, untilSettled: true })];
  const hours = quantilesOf(outcomes.flatMap(({ nodesAttributed }) => nodesAttributed));
  const accused = outcomes.filter(({ falseQuarantines }) => falseQuarantines.length > 0).length;
  log(`node ${name}: ${JSON.stringify(hours)}, GPUs of ${accused} runs quarantined before`);
  return {
    [`node_${name}_attributed_percent`]: (100 * hours.count) / count,
    [`node_${name}_median_hours`]: hours.median ?? Number.POSITIVE_INFINITY,
    [`node_${name}_runs_with_quarantine_percent`]: (100 * accused) / count,
  };
}
