// A node:test reporter that writes one JSON file per run into SENTINEL_TEST_RESULTS, beside the reporter that people read.
import fs from 'node:fs';
import path from 'node:path';

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* summary(events) {
  const run = { cwd: process.cwd(), passed: 0, failed: 0, skipped: [], failures: [] };
  for await (const { type, data } of events) {
    if (data?.details?.type === 'suite') continue;
    if (type === 'test:pass') recordPass(run, data);
    if (type === 'test:fail') recordFailure(run, data);
  }
  const name = `${run.cwd.replace(/[^\w.-]+/g, '_')}-${process.pid}.json`;
  fs.writeFileSync(path.join(process.env.SENTINEL_TEST_RESULTS ?? '.', name), JSON.stringify(run));
  yield '';
}

/** The runner reports a file in which no test was declared as one test that passed, under the file's own name. */
function isEmptyFile({ nesting, name, file }) {
  return nesting === 0 && file !== undefined && path.resolve(name) === file;
}

function recordPass(run, data) {
  if (isEmptyFile(data)) return recordFailure(run, { ...data, details: { error: { message: 'it declares no test' } } });
  const excuse = data.skip ?? data.todo;
  if (excuse === undefined || excuse === false) run.passed++;
  else
    run.skipped.push({
      name: data.name,
      file: data.file,
      reason: typeof excuse === 'string' ? excuse : 'no reason given',
    });
}

function recordFailure(run, data) {
  run.failed++;
  run.failures.push({
    name: data.name,
    file: data.file,
    message: String(data.details?.error?.cause?.message ?? data.details?.error?.message),
  });
}
