import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@sentinel/monitor-kit/testing/until';
import { KeptUp } from './kept-up.js';

function keptUp(failures: number) {
  const calls: string[] = [];
  let tries = 0;
  let lose: (error: unknown) => void = () => undefined;
  const made = new KeptUp<number>({
    begin: async (stack, lost) => {
      tries += 1;
      const number = tries;
      stack.push('part', () => {
        calls.push(`end ${number}`);
      });
      lose = lost;
      if (number <= failures) throw new Error(`no ${number}`);
      return number;
    },
    onDown: (error) => calls.push((error as Error).message),
    retryMs: 1,
  });
  return { made, calls, lose: (error: Error) => lose(error) };
}

test('what cannot be begun is ended in part, told, and begun again', async () => {
  const { made, calls } = keptUp(2);
  await made.keepUp();
  assert.equal(made.current, null);
  await until('there', () => made.current === 3);
  assert.deepEqual(calls, ['no 1', 'end 1', 'no 2', 'end 2']);
  await made.stop();
  assert.equal(calls.at(-1), 'end 3');
});

test('what is lost is ended and begun anew, once however often it says so', async () => {
  const { made, calls, lose } = keptUp(0);
  await made.keepUp();
  lose(new Error('lost'));
  lose(new Error('lost'));
  await until('anew', () => made.current === 2);
  assert.deepEqual(calls, ['lost', 'end 1']);
  await made.stop();
  assert.deepEqual([calls.at(-1), made.current], ['end 2', null]);
});

test('where nothing else goes on it is begun once, and what stops it is thrown', async () => {
  const { made, calls } = keptUp(1);
  await assert.rejects(
    made.once(() => undefined),
    /no 1/,
  );
  await made.stop();
  assert.deepEqual(calls, ['end 1']);
});
