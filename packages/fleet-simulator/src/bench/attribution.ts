import { bench } from '@sentinel/bench-kit';
import { medianInterval, quantilesOf } from '../figures/quantiles.js';
import { deviation, referenceFigures } from '../figures/reference.js';
import { replicates } from '../figures/replicates.js';
import type { Outcome } from '../report/outcome.js';
import { parseScenario } from '../scenario/read.js';
import type { Scenario } from '../scenario/scenario.js';

/** Enough for a median within 10 %; enough for one within a third. */
const RUNS = { full: 600, quick: 60 };
const SEED = 20_251_123;
/** A little fleet: as many clean GPUs on as many nodes as the gates ask for, and no more. */
const FLEET = 'warmup_hours: 1344\nhours: 2160\nfleet: { gpus: 32, schedule: SCHEDULE }';
/** Hot from 10 to 13 o'clock, when alone the fault acts. */
const HOT = 'environment: { hot_c: 85, hot_from: 10, hot_until: 13 }';

const CASES: Readonly<Record<string, Scenario>> = {
  p1: unit('1', 'default'),
  'p1e-2': unit('1e-2', 'default'),
  'p1e-3': unit('1e-3', 'default'),
  'p1e-4': unit('1e-4', 'default'),
  'p1e-3_10s': unit('1e-3', 'fast'),
  'p1e-4_10s': unit('1e-4', 'fast'),
  hot: unit('2e-3, from_hour: 10, until_hour: 13', 'default', HOT),
};

/** Until one tensor unit of one SM is quarantined that begins to fail after eight clean weeks, and until GPUs come back. */
export default bench({
  name: 'attribution',
  async run({ quick, log }) {
    const count = quick ? RUNS.quick : RUNS.full;
    const figures: Record<string, number> = {};
    const intervals: Record<string, readonly [number, number]> = {};
    let missed = 0;
    let falseQuarantines = 0;
    for (const [name, scenario] of Object.entries(CASES)) {
      const outcomes = [...replicates(scenario, { seed: SEED, count, untilSettled: true })];
      const all = outcomes.flatMap(({ struck }) => struck.map(({ quarantineHours }) => quarantineHours));
      const hours = quantilesOf(all);
      intervals[name] = medianInterval(all);
      figures[`${name}_median_hours`] = hours.median ?? Number.POSITIVE_INFINITY;
      figures[`${name}_p99_hours`] = hours.p99 ?? Number.POSITIVE_INFINITY;
      missed += hours.missing;
      falseQuarantines += outcomes.reduce((sum, outcome) => sum + outcome.falseQuarantines.length, 0);
      log(`${name}: median ${hours.median} h, 99 % ${hours.p99} h, ${hours.missing} missed of ${count}`);
    }
    const reference = referenceFigures().hoursToQuarantine;
    return {
      figures: {
        ...figures,
        missed,
        false_quarantines: falseQuarantines,
        deviation_from_reference: deviation(intervals, reference),
        ...returns(quick ? 5 : 50, log),
      },
    };
  },
});

function unit(rate: string, schedule: string, more = ''): Scenario {
  const fault = `{ kind: unit, gpu: 3, family: tc_fp16, rate: ${rate} }`;
  return parseScenario(
    'attribution',
    `name: unit\n${FLEET.replace('SCHEDULE', schedule)}\n${more}\nfaults: [${fault}]`,
  );
}

const REPAIRED_HOURS = 100;

/** Hours after which GPUs come back into service that are in order again, or always were. */
function returns(count: number, log: (line: string) => void): Record<string, number> {
  const runs = (fault: string, event: string): Outcome[] => {
    const content = `name: returns\nhours: 400\nfleet: { gpus: 32 }\nfaults: [${fault}]\nevents: [${event}]`;
    return [...replicates(parseScenario('returns', content), { seed: SEED, count })];
  };
  const unitOf = (more: string): string => `{ kind: unit, gpu: 3, family: tc_fp16, ${more} }`;
  const event = (what: string): string => `{ at_hours: ${REPAIRED_HOURS}, what: ${what}, gpu: 3 }`;
  const all = {
    // A new build or driver comes with the repair: the engine asks for the deep test by itself.
    hours_to_reinstate_after_repair: runs(unitOf('rate: 1e-2'), event('repair')).flatMap(homeAfterRepair),
    // What fails for an hour and never again was no defect, which the engine cannot know: time alone brings the deep test.
    hours_to_reinstate_after_false_quarantine: runs(unitOf('rate: 0.1, stop_hours: 1'), '').flatMap(hoursOut),
    // One wrong result, over before the agent answers it.
    hours_suspect_after_passing_fault: runs(unitOf('rate: 1, stop_hours: 0.0168'), '').flatMap(
      ({ suspectExits, struck }) => (struck[0]?.suspectHours == null ? [] : [suspectExits[0] ?? null]),
    ),
  };
  const quantiles = Object.entries(all).map(([name, hours]) => [name, quantilesOf(hours)] as const);
  for (const [name, { median, count: seen, missing }] of quantiles)
    log(`${name}: ${median} (${seen}, ${missing} never)`);
  // Defects that go on: nobody repairs them, and deep tests start by themselves.
  const rare = runs(unitOf('rate: 1e-3'), '').flatMap(({ returns: back }) => back.map(({ againHours }) => againHours));
  log(`a defect of 1e-3 came back into service ${rare.length} times in ${count} runs`);
  const never = quantiles.reduce((sum, [, { missing }]) => sum + missing, 0);
  const medians = quantiles.map(([name, { median }]) => [name, median ?? Number.POSITIVE_INFINITY]);
  return {
    ...Object.fromEntries(medians),
    never_returned: never,
    defective_returned_percent: (100 * rare.length) / count,
  };
}

/** From the quarantine on; null = the GPU stays out, nothing of one that was not quarantined. */
function hoursOut({ struck, returns: back }: Outcome): (number | null)[] {
  return struck[0]?.quarantineHours == null ? [] : [back[0]?.hours ?? null];
}

/** null = the GPU was quarantined and stays so; nothing of one that was not quarantined. */
function homeAfterRepair({ struck, returns: back }: Outcome): (number | null)[] {
  const out = struck[0]?.quarantineHours;
  if (out == null) return [];
  return [back[0] === undefined ? null : out + back[0].hours - REPAIRED_HOURS];
}
