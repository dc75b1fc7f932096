import type { GateSettings } from '../model/settings.js';
import type { GateAnswer } from './outcome.js';

const SECOND_US = 1_000_000;

/**
 * Gate 4: long enough since the first observation that a fault of many nodes would show? `dueUs` = when time alone opens it.
 * The clock is that of events, so the dwell of an old report from a drained spool has passed already.
 */
export function dwellGate(
  settings: GateSettings,
  nodes: number,
  firstUs: number,
  nowUs: number,
): GateAnswer & { dueUs: number | null } {
  const small = nodes < settings.small_fleet_nodes;
  const seconds = small ? settings.dwell_small_seconds : settings.dwell_seconds;
  const dueUs = firstUs + seconds * SECOND_US;
  const elapsed = Math.max(0, Math.floor((nowUs - firstUs) / SECOND_US));
  const inputs = {
    registered_nodes: String(nodes),
    dwell_seconds: String(seconds),
    setting: small ? 'gates.dwell_small_seconds' : 'gates.dwell_seconds',
    elapsed_seconds: String(elapsed),
  };
  if (nowUs >= dueUs)
    return {
      verdict: 'PASS',
      reason: `${elapsed} s since the first observation, ${seconds} s needed.`,
      inputs,
      dueUs: null,
    };
  return {
    verdict: 'HOLD',
    reason: `Only ${elapsed} s since the first observation, ${seconds} s needed.`,
    inputs,
    dueUs,
  };
}
