import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoudFaults } from './execute.js';

/**
 * Machine checks (the MCE line of /proc/interrupts) and uncorrectable memory errors (EDAC) of this machine. A counter that the
 * machine does not offer is not claimed.
 */
export class SystemLoudFaults implements LoudFaults {
  readonly #root: string;
  #older: number;
  #newer: number;

  /** `root` is '/' except in tests. */
  constructor(root = '/') {
    this.#root = root;
    this.#newer = this.#count();
    this.#older = this.#newer;
  }

  /** Called at regular intervals. */
  sample(): void {
    this.#older = this.#newer;
    this.#newer = this.#count();
  }

  recently(): boolean {
    return this.#count() > this.#older;
  }

  #count(): number {
    return machineChecks(this.#root) + uncorrectableErrors(this.#root);
  }
}

function machineChecks(root: string): number {
  const line = read(join(root, 'proc/interrupts'))
    .split('\n')
    .find((candidate) => candidate.trimStart().startsWith('MCE:'));
  const counts = line?.match(/\b\d+\b/g) ?? [];
  return counts.reduce((sum, count) => sum + Number(count), 0);
}

function uncorrectableErrors(root: string): number {
  const folder = join(root, 'sys/devices/system/edac/mc');
  return list(folder)
    .filter((name) => /^mc\d+$/.test(name))
    .reduce((sum, name) => sum + Number(read(join(folder, name, 'ue_count')) || 0), 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
