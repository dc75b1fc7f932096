import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerCommand } from './answer-command.js';

test('an answer is a command line that a shell takes as it is meant', () => {
  assert.equal(answerCommand('approve', 'proposal-1.a'), 'npx sentinel approve proposal-1.a --reason "…"');
  assert.equal(answerCommand('reject', "it's $HOME"), `npx sentinel reject 'it'\\''s $HOME' --reason "…"`);
});
