// Adds up what the packages' test runs wrote, and decides whether the whole run may call itself good.
import fs from 'node:fs';
import path from 'node:path';

/** Characters of a failure's message in the closing list. */
const MAX_MESSAGE = 1500;

/**
 * @typedef {{ cwd: string, passed: number, failed: number, skipped: { name: string, file?: string, reason: string }[],
 *   failures: { name: string, file?: string, message: string }[] }} RunResult
 */

/** @returns {RunResult[]} */
export function readResults(folder) {
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')));
}

/**
 * @param {RunResult[]} results
 * @param {{ projects: string[], exitCode: number, ci: boolean }} run `projects`: absolute folders that must have run tests
 * @returns {{ passed: number, failed: number, notes: string[] }} every reason for a failure that no test reports is counted as one failed test
 */
export function summarise(results, { projects, exitCode, ci }) {
  const notes = [];
  let passed = 0;
  let failed = 0;
  for (const result of results) {
    passed += result.passed;
    failed += result.failed;
    for (const { name, file, message } of result.failures)
      notes.push(`FAILED ${name} (${file ?? result.cwd}): ${excerpt(message)}`);
    for (const { name, file, reason } of result.skipped) {
      notes.push(`SKIPPED ${name} (${file ?? result.cwd}): ${reason}${ci ? '; nothing is skipped in CI' : ''}`);
      if (ci) failed++;
    }
  }
  for (const project of projects) {
    const ran = results.filter((result) => result.cwd === project).some((result) => result.passed + result.failed > 0);
    if (ran) continue;
    notes.push(`NO TEST RAN in ${project}`);
    failed++;
  }
  if (exitCode !== 0 && failed === 0) {
    notes.push(`the test run ended with status ${exitCode} though no test failed`);
    failed++;
  }
  return { passed, failed, notes };
}

/** What stands in the list at the end, for whoever has no more of the run than its end. */
function excerpt(message) {
  const whole = message.trim();
  const part = whole.length > MAX_MESSAGE ? `${whole.slice(0, MAX_MESSAGE)}…` : whole;
  return part.replaceAll('\n', '\n  ');
}

/** One outcome of two runs. */
export function addUp(first, second) {
  return {
    passed: first.passed + second.passed,
    failed: first.failed + second.failed,
    notes: [...first.notes, ...second.notes],
  };
}

/** The line that CI reads. */
export function closingLine({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}
