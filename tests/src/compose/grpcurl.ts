import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../harness/cli.js';
import { ROOT } from '../harness/paths.js';

const MODULE = 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3';
const FOLDER = join(ROOT, '.sentinel/grpcurl');
const BUILD_TIMEOUT_MS = 300_000;

/** Calls a method of a server as its own users do: by the .proto files alone. @returns the answer as JSON. @throws Error with grpcurl's words */
export async function grpcurl(address: string, proto: string, method: string, request = '{}'): Promise<unknown> {
  const where = ['-plaintext', '-import-path', join(ROOT, 'proto'), '-proto', proto];
  const { code, stdout, stderr } = await runProgram(program(), [...where, '-d', request, address, method]);
  if (code !== 0) throw new Error(`grpcurl ${method} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Compiled once per clone, by Go. */
function program(): string {
  const file = join(FOLDER, 'grpcurl');
  if (existsSync(file)) return file;
  const env = { ...process.env, GOBIN: FOLDER, CGO_ENABLED: '0' };
  const { status, stderr, error } = spawnSync('go', ['install', MODULE], {
    env,
    encoding: 'utf8',
    timeout: BUILD_TIMEOUT_MS,
  });
  if (status !== 0) throw new Error(`go install ${MODULE} failed: ${error?.message ?? stderr}`);
  return file;
}
