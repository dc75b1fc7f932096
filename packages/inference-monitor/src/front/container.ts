/** Programs that are process 1 of a container and end with their only child. */
const INITS: ReadonlySet<string> = new Set(['tini', 'docker-init', 'dumb-init', 'catatonit']);

/**
 * Whether all other processes are killed when this one ends, as in a container.
 * @param parent number of the parent process; 0 = there is none in this namespace: process 1, or the first of a container that shares a pod's
 * @param first name of process 1, "" = not known
 */
export function endsContainer(parent: number, first: string): boolean {
  return parent === 0 || (parent === 1 && INITS.has(first.trim()));
}
