/** Where limits come from: the file, and whatever may push others while the monitor runs. */
export interface ThresholdSource<T> {
  readonly current: T;
  /** The listener is called with the new limits after each change. */
  onChange(listener: (thresholds: T) => void): void;
}

/** Limits that somebody sets: a file at start and after SIGHUP. */
export class SettableThresholds<T> implements ThresholdSource<T> {
  #current: T;
  readonly #listeners: ((thresholds: T) => void)[] = [];

  constructor(first: T) {
    this.#current = first;
  }

  get current(): T {
    return this.#current;
  }

  onChange(listener: (thresholds: T) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells the listeners, unless nothing changed. True where something did. */
  set(thresholds: T): boolean {
    if (JSON.stringify(thresholds) === JSON.stringify(this.#current)) return false;
    this.#current = thresholds;
    for (const listener of this.#listeners) listener(thresholds);
    return true;
  }
}
