import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noticeTrends, type Trends } from './trends.js';

function notice(...samples: Record<string, number>[]): { sources: string[]; trends: Trends | null } {
  let trends: Trends | null = null;
  const sources: string[] = [];
  for (const values of samples) {
    const noticed = noticeTrends(trends, values);
    trends = noticed.trends;
    sources.push(...noticed.sources);
  }
  return { sources, trends };
}

test('the first value says nothing, a rise does, each source once a sample', () => {
  const repairs = { rows_remapped_corrected: 1, retired_pages_single_bit: 4 };
  const more = { rows_remapped_corrected: 2, retired_pages_single_bit: 5 };
  assert.deepEqual(notice(repairs).sources, []);
  assert.deepEqual(notice(repairs, repairs, more).sources, ['telemetry/memory-repairs']);
  assert.deepEqual(notice({ ecc_corrected_volatile_total: 9 }, {}, { ecc_corrected_volatile_total: 10 }).sources, [
    'telemetry/corrected-errors',
  ]);
});

test('a counter that fell began anew', () => {
  const at = (n: number) => ({ memory_corrected_errors: n });
  assert.deepEqual(notice(at(9), at(0)).sources, []);
  assert.deepEqual(notice(at(9), at(0), at(1)).sources, ['telemetry/corrected-errors']);
});

test('of the reasons for slow clocks heat counts alone, each time that it begins', () => {
  const reasons = (...values: number[]) => notice(...values.map((value) => ({ clock_event_reasons: value })));
  assert.deepEqual(reasons(0, 0x1, 0x4, 0x80).sources, []);
  assert.deepEqual(reasons(0, 0x40, 0x41, 0x60, 0).sources, ['telemetry/thermal', 'telemetry/thermal']);
  assert.deepEqual(reasons(0x40, 0x40).sources, [], 'already so when it was first looked at');
});

test('what is not watched, or did not change, costs nothing', () => {
  const known = noticeTrends(null, { memory_corrected_errors: 1, clock_event_reasons: 4 }).trends;
  assert.equal(
    noticeTrends(known, { memory_corrected_errors: 1, temperature_c: 90, clock_event_reasons: 1 }).trends,
    known,
  );
});
