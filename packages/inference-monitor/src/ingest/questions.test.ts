import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answer, type Question } from '@sentinel/contracts/sentinel/v1/inference.js';
import { type Asked, MAX_QUESTIONS, Questions } from './questions.js';

const ASKED: Asked = { $case: 'weights', value: { worker: 0 } };
const LONG_MS = 60_000;

function questions(takes = true) {
  const sent: Question[] = [];
  const made = new Questions((question) => {
    sent.push(question);
    return takes;
  });
  return { made, sent };
}

test('each answer goes to whoever asked', async () => {
  const { made, sent } = questions();
  const first = made.ask(ASKED, LONG_MS);
  const second = made.ask(ASKED, LONG_MS);
  made.answered(Answer.fromPartial({ id: sent[1]?.id ?? 0n, count: 2 }));
  made.answered(Answer.fromPartial({ id: 99n }));
  made.answered(Answer.fromPartial({ id: sent[0]?.id ?? 0n, count: 1 }));
  assert.deepEqual([(await first).count, (await second).count], [1, 2]);
});

test('who waits for a sender that is silent, gone or takes nothing is told so', async () => {
  const { made } = questions();
  await assert.rejects(made.ask(ASKED, 1), { code: 'DEADLINE_EXCEEDED' });
  const waiting = made.ask(ASKED, LONG_MS);
  made.end();
  await assert.rejects(waiting, { code: 'UNAVAILABLE' });
  await assert.rejects(questions(false).made.ask(ASKED, LONG_MS), { code: 'UNAVAILABLE' });
});

test('no more questions wait than there is room for', async () => {
  const { made } = questions();
  const waiting = Array.from({ length: MAX_QUESTIONS }, () => made.ask(ASKED, LONG_MS));
  await assert.rejects(made.ask(ASKED, LONG_MS), { code: 'RESOURCE_EXHAUSTED' });
  made.end();
  await Promise.allSettled(waiting);
});
