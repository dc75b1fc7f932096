import { hash } from 'node:crypto';
import { cohortOf } from '../evidence/cohorts.js';
import { canariesOf, configOf, deviceCount, devicesOf, editCanaries, nodeOf } from '../evidence/draft.js';
import type { DirectiveEffect } from '../evidence/effects.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Family } from '../evidence/model/terms.js';
import { forget, type Step, stepCensus } from '../evidence/step.js';
import { MAX_OPEN, MAX_TIE_BREAK_DEVICES, MAX_TIE_BREAKS, type OpenCanary, type TieBreaks } from './facts.js';
import { type Candidate, chooseTrio, seedOf, type Trio, trioAround } from './select.js';

const SECOND_US = 1_000_000;
/** Wall time that shares one epoch. */
const EPOCH_US = 10 * SECOND_US;
/** Agents number their own seeds from 0 and never come so far. */
const FIRST_INDEX = 2 ** 31;
/** A canary needs so many devices. */
const MEMBERS = 3;

/** Plans the next canary where there are devices for one and none is planned: after a hello and after other settings. */
export function planCanaries(step: Step): void {
  const { tmr } = configOf(step.draft);
  const { nextUs } = canariesOf(step.draft);
  const wanted = tmr.enabled && deviceCount(step.draft) >= MEMBERS;
  const latestUs = step.ctx.nowUs + tmr.interval_seconds * SECOND_US;
  const plannedUs = wanted ? Math.min(nextUs ?? latestUs, latestUs) : null;
  if (plannedUs !== nextUs) editCanaries(step.draft, { nextUs: plannedUs });
}

/** The canary whose time has come. Where no three devices can be compared there is none, and it is looked again next time. */
export function openPlannedCanary(step: Step): void {
  const { tmr } = configOf(step.draft);
  const { nextUs, cursor } = canariesOf(step.draft);
  if (nextUs === null || nextUs > step.ctx.nowUs) return;
  editCanaries(step.draft, { nextUs: step.ctx.nowUs + tmr.interval_seconds * SECOND_US });
  if (!hasRoom(step)) return;
  const choice = { strategy: tmr.selection_strategy, cursor, seed: seedOf(step.ctx.commitSeq, 0) };
  const trio = chooseTrio(candidatesOf(step), choice);
  if (trio === undefined) return;
  editCanaries(step.draft, { cursor: trio.members[0].id });
  open(step, trio, null);
}

/** Asks two others about a suspect: what they make of one seed answers its first mismatch. A few times for each suspicion. */
export function openTieBreak(step: Step, device: DeviceState, family: Family): void {
  if (!configOf(step.draft).tmr.enabled || deviceCount(step.draft) < MEMBERS) return;
  const facts = canariesOf(step.draft);
  if (facts.open.some(({ suspect }) => suspect === device.id)) return;
  const firstUs = device.firstObservationUs ?? step.ctx.nowUs;
  const before = facts.tieBreaks.find((entry) => entry.deviceId === device.id && entry.firstUs === firstUs);
  const count = (before?.count ?? 0) + 1;
  if (count > MAX_TIE_BREAKS || !hasRoom(step)) return;
  const entry = { family, cohort: cohortOf(device, family) };
  const first = asCandidate(step, device);
  if (first === undefined || stepCensus(step)(entry.cohort).devices < MEMBERS) return;
  const healthy = candidatesOf(step).filter((other) => !other.suspect);
  const trio = trioAround(first, entry, rotated(healthy, seedOf(step.ctx.commitSeq, count)));
  if (trio === undefined) return;
  noteTieBreak(step, { deviceId: device.id, firstUs, count });
  open(step, trio, device.id);
}

function noteTieBreak(step: Step, entry: TieBreaks): void {
  const others = canariesOf(step.draft).tieBreaks.filter(({ deviceId }) => deviceId !== entry.deviceId);
  forget(step, 'tie_break', others.length + 1 - MAX_TIE_BREAK_DEVICES);
  editCanaries(step.draft, { tieBreaks: [...others, entry].slice(-MAX_TIE_BREAK_DEVICES) });
}

/** What had no room is counted. */
function hasRoom(step: Step): boolean {
  const { open: opened, leftOut } = canariesOf(step.draft);
  if (opened.length < MAX_OPEN) return true;
  editCanaries(step.draft, { leftOut: leftOut + 1 });
  forget(step, 'canary');
  return false;
}

function open(step: Step, { family, cohort, members }: Trio, suspect: string | null): void {
  const { nowUs, commitSeq } = step.ctx;
  const facts = canariesOf(step.draft);
  const ordinal = facts.open.length;
  const id = hash('sha256', JSON.stringify(['canary', commitSeq, step.source, ordinal])).slice(0, 32);
  const canary: OpenCanary = {
    id,
    family,
    cohort,
    epoch: Math.floor(nowUs / EPOCH_US),
    index: FIRST_INDEX + (seedOf(commitSeq, ordinal) % FIRST_INDEX),
    openedUs: nowUs,
    dueUs: nowUs + configOf(step.draft).tmr.timeout_ms * 1000,
    suspect,
    members: members.map(({ id: deviceId, node }, k) => ({
      deviceId,
      node,
      directiveId: `canary-${id.slice(0, 24)}-${k + 1}`,
      answer: null,
    })),
  };
  editCanaries(step.draft, { open: [...facts.open, canary] });
  step.effects.directives.push(...canaryDirectives(canary));
}

/** What the members that have not answered are told. */
export function canaryDirectives({ id, family, epoch, index, members }: OpenCanary): DirectiveEffect[] {
  const work = { kind: 'canary', family, epoch, index, canaryId: id } as const;
  return members.flatMap(({ node, deviceId, directiveId, answer }) =>
    answer === null ? [{ op: 'send', node, deviceId, id: directiveId, work }] : [],
  );
}

function candidatesOf(step: Step): Candidate[] {
  return devicesOf(step.draft).flatMap((device) => asCandidate(step, device) ?? []);
}

/** In service, with an agent that is there and may probe it; undefined = it cannot take part now. */
function asCandidate(step: Step, device: DeviceState): Candidate | undefined {
  const node = nodeOf(step.draft, device.node);
  const { nowUs } = step.ctx;
  if (!device.announced || node?.connected !== true) return undefined;
  if (device.state !== 'HEALTHY' && device.state !== 'SUSPECT') return undefined;
  const paused = node.control?.pauses.some(
    ({ gpu, untilUs }) => gpu === device.id && (untilUs === 0 || untilUs > nowUs),
  );
  if (paused === true) return undefined;
  const { id, families } = device;
  return { id, node: device.node, suspect: device.state === 'SUSPECT', families };
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const start = by % Math.max(1, list.length);
  return [...list.slice(start), ...list.slice(0, start)];
}
