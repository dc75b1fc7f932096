import type { HealthState, TransitionEffect } from '@sentinel/correlation-engine/core';
import { HOUR_US } from '../world/environment.js';
import type { Level } from './outcome.js';

/** Points that a timeline keeps: as many as a plot can show. */
export const MAX_LEVELS = 600;

/** How many GPUs were in which state over time. */
export function timelineOf(transitions: readonly TransitionEffect[], originUs: number): Level[] {
  const counts = { suspect: 0, out: 0 };
  const levels: Level[] = [];
  for (const { from, to, timeUs } of [...transitions].sort((a, b) => a.timeUs - b.timeUs)) {
    const [left, entered] = [groupOf(from), groupOf(to)];
    if (left !== null) counts[left] -= 1;
    if (entered !== null) counts[entered] += 1;
    const atHours = (timeUs - originUs) / HOUR_US;
    if (levels.at(-1)?.atHours === atHours) levels.pop();
    levels.push({ atHours, ...counts });
  }
  return thinned(levels);
}

function groupOf(state: HealthState): 'suspect' | 'out' | null {
  if (state === 'HEALTHY') return null;
  return state === 'SUSPECT' ? 'suspect' : 'out';
}

/** The highest levels of equal stretches, and the last one: peaks are what matters. */
function thinned(levels: readonly Level[]): Level[] {
  const size = Math.ceil(levels.length / (MAX_LEVELS - 1));
  if (size <= 1) return [...levels];
  const kept: Level[] = [];
  for (let from = 0; from < levels.length; from += size) {
    const stretch = levels.slice(from, from + size);
    kept.push(stretch.reduce((most, level) => (level.suspect + level.out > most.suspect + most.out ? level : most)));
  }
  const last = levels.at(-1);
  if (last !== undefined && kept.at(-1) !== last) kept.push(last);
  return kept;
}
