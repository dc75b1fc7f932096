import { parseArgs } from 'node:util';
import type { HistoryKind } from './stores.js';

/** One storm after the other, each with an installation of its own. */
export interface Campaign {
  readonly seed: number;
  readonly legs: readonly Leg[];
}

export interface Leg {
  readonly history: HistoryKind;
  readonly faults: number;
  readonly overMs: number;
  readonly outages: number;
  readonly disks: boolean;
}

export const USAGE = `usage: npm run chaos -- [--quick] [--seed N] [--faults N] [--minutes N] [--history files|cassandra] [--without-disks]
  --quick      a slice: 20 faults in half a minute, the history in files
  --seed N     the same faults and reports as another run with this seed
  --faults N   how many are injected [300]
  --minutes N  what they are spread over [30]
  --history K  in segment files alone, or in Cassandra alone [half of the time each]
  --without-disks  no disk is ever full: making one that can be is for root`;

const FULL = { faults: 300, minutes: 30, outages: 4, histories: ['cassandra', 'files'] } as const;
const QUICK = { faults: 20, minutes: 0.5, outages: 0, histories: ['files'] } as const;
const KINDS: readonly string[] = FULL.histories;

/** @throws Error that says what cannot be */
export function campaign(args: readonly string[], anySeed: number): Campaign {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean' },
      seed: text,
      faults: text,
      minutes: text,
      history: text,
      'without-disks': { type: 'boolean' },
    },
  });
  const base = values.quick === true ? QUICK : FULL;
  if (values.history !== undefined && !KINDS.includes(values.history))
    throw new Error(`--history: ${values.history} is neither files nor cassandra`);
  const histories = values.history === undefined ? base.histories : [values.history as HistoryKind];
  const share = (whole: number): number => Math.ceil(whole / histories.length);
  const leg = {
    faults: share(number('faults', values.faults, base.faults)),
    overMs: (number('minutes', values.minutes, base.minutes) * 60_000) / histories.length,
    outages: share(base.outages),
    disks: values['without-disks'] !== true,
  };
  return { seed: number('seed', values.seed, anySeed), legs: histories.map((history) => ({ ...leg, history })) };
}

function number(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new Error(`--${name}: ${text} is no number`);
}
