/** The thread of the second path. */
import { parentPort } from 'node:worker_threads';
import { inPlace, type SecondPathAnswer, type SecondPathRequest } from './second-path.js';

const answer = (request: SecondPathRequest): SecondPathAnswer => {
  try {
    return { again: inPlace(request) };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
};

parentPort?.on('message', (request: SecondPathRequest) => parentPort?.postMessage(answer(request)));
