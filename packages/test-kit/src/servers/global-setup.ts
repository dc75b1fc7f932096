import { BROKER_VARIABLE, Broker } from './broker.js';

// Given to `node --test --test-global-setup`: one broker for all test files of a package, unless the whole run has one.

let broker: Broker | null = null;

export async function globalSetup(): Promise<void> {
  if (process.env[BROKER_VARIABLE] !== undefined) return;
  broker = new Broker();
  process.env[BROKER_VARIABLE] = await broker.listen();
}

export async function globalTeardown(): Promise<void> {
  await broker?.close();
}
