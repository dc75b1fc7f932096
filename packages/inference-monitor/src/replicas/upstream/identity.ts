import { sha256 } from '../digest.js';
import type { UpstreamHttp } from './http.js';
import { fieldsOf, listOf, textOf } from './json.js';

/** What answers at `upstream_url`, as far as it tells. */
export interface Identity {
  readonly api: 'openai' | 'kserve';
  /** As requests name it; '' = the server does not say, or has several. */
  readonly model: string;
  /** Such as "vllm 0.32.0"; '' = not told. */
  readonly framework: string;
  /** Everything that has to be equal for two servers to be comparable. */
  readonly facts: string;
}

/** Null where it is something else. @throws SentinelError UNAVAILABLE where nothing answers */
export async function identify(http: UpstreamHttp): Promise<Identity | null> {
  const models = await http.look('/v1/models');
  if (models !== null) return openAi(models, await http.look('/version'));
  const server = await http.look('/v2');
  return server === null ? null : kserve(server);
}

function openAi(models: unknown, version: unknown): Identity | null {
  const [first] = listOf(fieldsOf(models)['data']).map(fieldsOf);
  if (first === undefined) return null;
  const model = textOf(first['id']);
  const framework = `${textOf(first['owned_by'])} ${textOf(fieldsOf(version)['version'])}`.trim();
  // Where the model lies may differ from replica to replica, what it is called there not.
  const root = textOf(first['root']).replace(/\/+$/, '').split('/').slice(-1);
  return { api: 'openai', model, framework, facts: JSON.stringify([model, framework, root, first['max_model_len']]) };
}

function kserve(server: unknown): Identity {
  const { name, version } = fieldsOf(server);
  const framework = `${textOf(name)} ${textOf(version)}`.trim();
  return { api: 'kserve', model: '', framework, facts: JSON.stringify([framework]) };
}

/**
 * Lower-case hexadecimal digits; '' = comparable with nobody.
 * @param told by the library in the server, which knows more; '' = there is none
 * @param fingerprint of the configuration, as the server tells it in its answers
 */
export function configHashOf(identity: Identity | null, fingerprint: string, told: string, algorithm: string): string {
  if (told !== '') return sha256(JSON.stringify(['library', told, algorithm]));
  if (identity === null || identity.facts === '') return '';
  return sha256(JSON.stringify(['server', identity.facts, fingerprint, algorithm]));
}
