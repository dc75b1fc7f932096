/** A process that dies between two statements to its cluster, without ending. */
import { Cluster, type Statement } from '../storage/scylla/cluster.js';

const { write, swap } = Cluster.prototype;

/** Half of the `step`th write is made, or a swap of which nobody hears, and nothing after it. @returns whether that was never reached */
export function dieAt(step: number): () => boolean {
  let at = 0;
  const isNow = (): boolean => {
    if (at > step) throw new Error('the process is dead');
    at += 1;
    return at > step;
  };
  Cluster.prototype.write = async function (statements: readonly Statement[]) {
    if (!isNow()) return await write.call(this, statements);
    await write.call(this, statements.slice(0, Math.floor(statements.length / 2)));
    throw new Error('the process is dead');
  };
  Cluster.prototype.swap = async function (...args) {
    if (!isNow()) return await swap.apply(this, args);
    await swap.apply(this, args);
    throw new Error('the process is dead');
  };
  return () => at <= step;
}

/** As it was. */
export function reviveCluster(): void {
  Object.assign(Cluster.prototype, { write, swap });
}
