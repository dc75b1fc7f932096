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

/** Figures of docs/goals.json. */
export function figuresOf(told: readonly Told[], weights: Weights, asked: readonly Asked[]): Record<string, number> {
  const sum = (of: (one: Asked) => number) => asked.reduce((total, one) => total + of(one), 0);
  const sound = told.filter(({ round }) => round.harm === 'sound');
  const harmed = told.filter(({ round }) => round.harm !== 'sound');
  const visible = harmed.filter(({ changed }) => changed.canary);
  const right = harmed.filter(({ outcome }) => outcome === 'right');
  const named = visible.filter(({ outcome }) => outcome === 'right').length;
  const quiet = harmed.filter(({ outcome }) => outcome === 'nothing');
  const seconds = right.map((one) => first(one).seconds);
  const by = (detector: string) => right.filter((one) => first(one).detector === detector).length;
  return {
    harmed: harmed.length,
    wrong: harmed.filter(({ outcome }) => outcome === 'wrong').length,
    sound_rounds: sound.length,
    sound_events: sound.filter(({ outcome }) => outcome !== 'nothing').length,
    users_answered: sum(({ answered }) => answered),
    connections_lost: sum(({ connectionsLost }) => connectionsLost),
    users_failed_by_monitor: sum(({ failedByMonitor }) => failedByMonitor),
    users_failed_by_server: sum(({ failedByServer }) => failedByServer),
    canary_changed: visible.length,
    canary_changed_named_pct: (100 * named) / visible.length,
    canary_changed_named_lower95_pct: 100 * wilsonLower(named, visible.length),
    seconds_p50: median(seconds),
    seconds_max: Math.max(...seconds),
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
