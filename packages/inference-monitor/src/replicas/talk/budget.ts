/** Questions that a server answers for the sake of comparisons in the time between two canaries, and at most in a minute, whatever its traffic. */
const QUESTIONS_A_CANARY = 20;

/** Share of the requests of users that may come on top. */
export const SHARE_OF_REQUESTS = 0.05;

/** Questions that may come at once after a quiet time: what calibration asks in a round, and others ask meanwhile. */
const BURST = 3 * QUESTIONS_A_CANARY;

const MINUTE_MS = 60_000;

/** What comparisons may cost the inference server: asked by this monitor or by those of other replicas. */
export class QuestionBudget {
  readonly #perMs: number;
  #left: number;
  #atMs: number;
  refused = 0;

  /** @param intervalS between two canaries */
  constructor(intervalS: number, nowMs: number) {
    this.#perMs = QUESTIONS_A_CANARY / Math.min(MINUTE_MS, 1000 * intervalS);
    this.#left = BURST;
    this.#atMs = nowMs;
  }

  /** Requests of users that passed. */
  served(requests: number): void {
    this.#add(SHARE_OF_REQUESTS * requests);
  }

  /** False where there is nothing left: then it is not asked, and counted. */
  take(questions: number, nowMs: number): boolean {
    this.#add((nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    if (this.#left < questions) {
      this.refused += questions;
      return false;
    }
    this.#left -= questions;
    return true;
  }

  #add(questions: number): void {
    this.#left = Math.min(BURST, this.#left + questions);
  }
}
