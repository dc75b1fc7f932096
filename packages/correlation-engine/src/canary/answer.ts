import { canariesOf, editCanaries } from '../evidence/draft.js';
import type { JsonValue, ObservationEffect } from '../evidence/effects.js';
import { RunFlag } from '../evidence/model/terms.js';
import { binOf } from '../evidence/posterior/bins.js';
import { type BatchRecord, contextOf, directiveIdOf } from '../evidence/record.js';
import type { Step } from '../evidence/step.js';
import { type CanaryAnswer, canaryOfDirective, type OpenCanary } from './facts.js';

/**
 * Notes the answers that a batch brings.
 * @param timeOf event time of a row
 * @returns ids of canaries that all members have answered now
 */
export function takeAnswers(step: Step, record: BatchRecord, timeOf: (row: number) => number): string[] {
  const { batch } = record;
  const complete: string[] = [];
  for (const { run, digests } of batch.canaries ?? []) {
    const directiveId = directiveIdOf(batch, run);
    const facts = canariesOf(step.draft);
    const canary = canaryOfDirective(facts, directiveId);
    if (canary === undefined || !ranItsSeed(canary, record, run)) continue;
    const deviceId = batch.deviceIds[batch.deviceIndex[run] ?? 0];
    const members = canary.members.map((member) => {
      const asked = member.directiveId === directiveId && member.deviceId === deviceId && member.node === record.node;
      return asked && member.answer === null
        ? { ...member, answer: answerOf(step, record, run, digests, timeOf(run)) }
        : member;
    });
    editCanaries(step.draft, { open: facts.open.map((entry) => (entry === canary ? { ...canary, members } : entry)) });
    if (members.every(({ answer }) => answer !== null) && !complete.includes(canary.id)) complete.push(canary.id);
  }
  return complete;
}

function ranItsSeed({ family, epoch, index }: OpenCanary, { batch }: BatchRecord, run: number): boolean {
  return batch.family[run] === family && batch.epoch[run] === epoch && batch.index[run] === index;
}

function answerOf(
  step: Step,
  { batch, buildId, testBuild }: BatchRecord,
  run: number,
  digests: readonly number[],
  timeUs: number,
): CanaryAnswer {
  const counts = ({ row, counted }: ObservationEffect): boolean => row === run && counted;
  return {
    digests: [...digests],
    timeUs,
    buildId,
    testBuild,
    bin: binOf(contextOf(batch, run)),
    loudFault: ((batch.flags[run] ?? 0) & RunFlag.LOUD_FAULT) !== 0,
    counted: step.effects.observations.some(counts),
  };
}

/** Digests of one device that the ledger names; of a device that computes so much differently the rest adds nothing. */
const MAX_DIGESTS_IN_DETAIL = 8;

/** Who computed what, for the ledger. */
export function membersDetail({ members }: OpenCanary): JsonValue[] {
  return members.map(({ deviceId, node, answer }) => ({
    gpu: deviceId,
    node,
    digests: [...new Set(answer?.digests ?? [])].filter((digest) => digest !== 0).slice(0, MAX_DIGESTS_IN_DETAIL),
  }));
}
