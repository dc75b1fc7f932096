import { median } from '@sentinel/bench-kit';
import { wilsonLower } from '@sentinel/monitor-kit/testing/intervals';
import type { Told } from './outcome.js';
import { HARMS } from './rounds.js';
import type { Asked } from './users.js';

const DETECTORS = ['canary', 'replay', 'weights'] as const;

/** Of a checkpoint. */
export interface Weights {
  readonly numbers: number;
  /** Those that are parameters of the model in memory still. */
  readonly parameters: number;
}

/** An answer that is asked for directly, and by which harm is seen to matter. */
export interface Visible {
  /** Of its figures in docs/goals.json. */
  readonly name: 'changed' | 'canary_changed';
  readonly of: (told: Told) => boolean;
}

/** Figures of docs/goals.json that every kind of server has. */
export function commonFigures(
  told: readonly Told[],
  asked: readonly Asked[],
  { name, of }: Visible,
): Record<string, number> {
  const sum = (count: (one: Asked) => number) => asked.reduce((total, one) => total + count(one), 0);
  const sound = told.filter(({ round }) => round.harm === 'sound');
  const harmed = told.filter(({ round }) => round.harm !== 'sound');
  const visible = harmed.filter(of);
  const named = visible.filter(({ outcome }) => outcome === 'right').length;
  const seconds = harmed.filter(({ outcome }) => outcome === 'right').map((one) => first(one).seconds);
  return {
    harmed: harmed.length,
    wrong: harmed.filter(({ outcome }) => outcome === 'wrong').length,
    sound_rounds: sound.length,
    sound_events: sound.filter(({ outcome }) => outcome !== 'nothing').length,
    users_answered: sum(({ answered }) => answered),
    connections_lost: sum(({ connectionsLost }) => connectionsLost),
    users_failed_by_monitor: sum(({ failedByMonitor }) => failedByMonitor),
    users_failed_by_server: sum(({ failedByServer }) => failedByServer),
    [name]: visible.length,
    [`${name}_named_pct`]: (100 * named) / visible.length,
    [`${name}_named_lower95_pct`]: 100 * wilsonLower(named, visible.length),
    seconds_p50: median(seconds),
    seconds_max: Math.max(...seconds),
  };
}

/** Those of language models: by detector and kind of harm. */
export function figuresOf(told: readonly Told[], weights: Weights, asked: readonly Asked[]): Record<string, number> {
  const harmed = told.filter(({ round }) => round.harm !== 'sound');
  const right = harmed.filter(({ outcome }) => outcome === 'right');
  const quiet = harmed.filter(({ outcome }) => outcome === 'nothing');
  const by = (detector: string) => right.filter((one) => first(one).detector === detector).length;
  return {
    ...commonFigures(told, asked, { name: 'canary_changed', of: ({ changed }) => changed.canary }),
    ...Object.fromEntries(DETECTORS.map((detector) => [`first_by_${detector}`, by(detector)])),
    first_by_statistics: right.length - DETECTORS.reduce((total, detector) => total + by(detector), 0),
    ...Object.fromEntries(
      HARMS.flatMap((harm) => {
        const of = harmed.filter(({ round }) => round.harm === harm);
        return [
          [`${harm}_rounds`, of.length],
          [`${harm}_named`, of.filter(({ outcome }) => outcome === 'right').length],
        ];
      }),
    ),
    nothing_changed_nothing_told: quiet.filter(({ changed }) => !changed.user && !changed.canary).length,
    users_changed_nothing_told: quiet.filter(({ changed }) => changed.user && !changed.canary).length,
    nothing_changed_named: right.filter(({ changed }) => !changed.user && !changed.canary).length,
    reached_pct: (100 * weights.parameters) / weights.numbers,
  };
}

function first({ named }: Told): { readonly detector: string; readonly seconds: number } {
  return named.find(({ gpu }) => gpu !== '') ?? { detector: '', seconds: Number.NaN };
}
