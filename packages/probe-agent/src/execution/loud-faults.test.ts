import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/folder.js';
import { SystemLoudFaults } from './loud-faults.js';

const root = temporaryFolder();

function machineChecks(count: number): void {
  mkdirSync(join(root, 'proc'), { recursive: true });
  writeFileSync(
    join(root, 'proc/interrupts'),
    `            CPU0       CPU1\n NMI:  9  9  x\n MCE:  ${count}  1   Machine check exceptions\n`,
  );
}

function memoryErrors(count: number): void {
  const folder = join(root, 'sys/devices/system/edac/mc/mc0');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ue_count'), `${count}\n`);
}

test('a machine check or an uncorrectable memory error is loud for two intervals', () => {
  const faults = new SystemLoudFaults(root);
  assert.equal(faults.recently(), false, 'a machine that has no counters claims nothing');
  machineChecks(0);
  faults.sample();
  faults.sample();
  for (const happen of [() => machineChecks(1), () => memoryErrors(2)]) {
    happen();
    assert.equal(faults.recently(), true);
    faults.sample();
    assert.equal(faults.recently(), true);
    faults.sample();
    assert.equal(faults.recently(), false);
  }
});
