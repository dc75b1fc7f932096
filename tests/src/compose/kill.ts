import type { ComposeProject } from './project.js';

/**
 * `kill -9` of what the container's init runs, from inside: the engine takes a kill from outside as an order to stay away, and
 * restarts nothing. The last field before a process's parent in /proc/PID/stat ends with ")".
 */
const KILL_MAIN = `for each in /proc/[0-9]*; do
  read -r line < "$each/stat" || continue
  set -- \${line##*) }
  if [ "$2" = 1 ]; then kill -9 "\${each#/proc/}"; fi
done 2>/dev/null`;

const AGAIN_MS = 180_000;

/** Kills the process of a service and waits until the restarted one is healthy. @returns seconds */
export async function killed(project: ComposeProject, service: string): Promise<number> {
  const started = performance.now();
  const { StartedAt } = await project.state(service);
  // The container goes down under the command, whose end says nothing then.
  await project.run('exec', '-T', service, 'sh', '-c', KILL_MAIN);
  await project.healthy(service, new Date(StartedAt), AGAIN_MS);
  return (performance.now() - started) / 1000;
}
