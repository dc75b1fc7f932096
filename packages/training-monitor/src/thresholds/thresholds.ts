import type { TrainingThresholds } from '@sentinel/service-kit/config';

/** Where limits come from: the file, and whatever may push others while the analyser runs. */
export interface ThresholdSource {
  readonly current: TrainingThresholds;
  /** The listener is called with the new limits after each change. */
  onChange(listener: (thresholds: TrainingThresholds) => void): void;
}

/** Limits that somebody sets: a file at start and after SIGHUP. */
export class SettableThresholds implements ThresholdSource {
  #current: TrainingThresholds;
  readonly #listeners: ((thresholds: TrainingThresholds) => void)[] = [];

  constructor(first: TrainingThresholds) {
    this.#current = first;
  }

  get current(): TrainingThresholds {
    return this.#current;
  }

  onChange(listener: (thresholds: TrainingThresholds) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells the listeners, unless nothing changed. True where something did. */
  set(thresholds: TrainingThresholds): boolean {
    if (JSON.stringify(thresholds) === JSON.stringify(this.#current)) return false;
    this.#current = thresholds;
    for (const listener of this.#listeners) listener(thresholds);
    return true;
  }
}
