// In place of the integration tests in a run that something else has to end.
import { setTimeout as delay } from 'node:timers/promises';

/** The longest timer that there is. */
const FOR_EVER_MS = 2 ** 31 - 1;

await delay(FOR_EVER_MS);
