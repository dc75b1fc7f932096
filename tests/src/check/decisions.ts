import type { Finding } from './reconcile.js';

/** One committed transition of a device. */
export interface Decision {
  readonly device: string;
  readonly from: string;
  readonly to: string;
  readonly actor: string;
  readonly eventId: string;
}

/**
 * Compares what was decided about each device, in order, with what is decided about the same reports where nothing is disturbed.
 * When it was decided does not matter, nor in what order about different devices.
 */
export function compareDecisions(undisturbed: readonly Decision[], disturbed: readonly Decision[]): DecisionFindings {
  const [expected, actual] = [pathsOf(undisturbed), pathsOf(disturbed)];
  const found: DecisionFindings = { lost: [], doubled: [] };
  for (const device of new Set([...expected.keys(), ...actual.keys()])) {
    const [wanted, got] = [expected.get(device) ?? [], actual.get(device) ?? []];
    const agree = wanted.findIndex((step, index) => step !== got[index]);
    const at = agree < 0 ? wanted.length : agree;
    const what = `${device}: decided ${got.join(', ') || 'nothing'}; undisturbed ${wanted.join(', ') || 'nothing'}`;
    if (at < wanted.length) found.lost.push({ where: 'decision', what, runs: wanted.length - at });
    if (at < got.length) found.doubled.push({ where: 'decision', what, runs: got.length - at });
  }
  return found;
}

export interface DecisionFindings {
  /** Decided there and not here. */
  readonly lost: Finding[];
  /** Decided here and not there. */
  readonly doubled: Finding[];
}

function pathsOf(decisions: readonly Decision[]): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const { device, from, to, actor } of decisions)
    paths.set(device, [...(paths.get(device) ?? []), `${from} > ${to} by ${actor}`]);
  return paths;
}
