import { hostname } from 'node:os';
import { join } from 'node:path';
import { startProcess, type TestProcess } from '@sentinel/test-kit';
import { runProgram } from '../harness/cli.js';
import { ROOT } from '../harness/paths.js';
import type { ComposeProject } from './project.js';

const SOURCE = join(ROOT, 'probe-agent');

/** The agent outside of compose as the deployment guide builds and starts it, but for the ports. @returns the process, and its node's name */
export async function agentOutside(
  project: ComposeProject,
  folder: string,
  metricsPort: number,
): Promise<{ agent: TestProcess; node: string }> {
  const build = join(folder, 'build');
  const configured = await runProgram('cmake', ['-S', SOURCE, '-B', build, '-DCMAKE_BUILD_TYPE=Debug']);
  if (configured.code !== 0) throw new Error(`cmake ended with ${configured.code}: ${configured.stderr}`);
  const overrides = [
    `correlation_engine_endpoint=localhost:${project.engine.grpc.split(':')[1]}`,
    'tls.enabled=false',
    `metrics.listen_address=0.0.0.0:${metricsPort}`,
  ];
  const agent = await startProcess({
    command: [
      join(build, 'sentinel-probe-agent'),
      ...['--config', '../config/sentinel.default.yaml'],
      ...overrides.flatMap((each) => ['--override', each]),
    ],
    cwd: SOURCE,
    // The project of a user has the name that the file gives it.
    env: {
      ...project.environment,
      COMPOSE_PROJECT_NAME: project.name,
      SENTINEL_PROBE_AGENT_DATA_DIR: join(folder, 'spool'),
    },
  });
  return { agent, node: hostname() };
}
