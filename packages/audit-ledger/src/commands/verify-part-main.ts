/** The thread that verifies the first part of a log. */
import { parentPort, workerData } from 'node:worker_threads';
import { type FirstPart, type PartNews, verifyPart } from './verify-in-parts.js';

const tell = (news: PartNews): void => parentPort?.postMessage(news);

tell(await verifyPart(workerData as FirstPart, tell));
