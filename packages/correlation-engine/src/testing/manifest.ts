import { generateKeyPairSync, sign } from 'node:crypto';

/** An operator who signs manifests of cohorts. */
export class ManifestSigner {
  readonly #pair = generateKeyPairSync('ed25519');

  /** As `cohort_manifest.keys` has it. */
  get publicKey(): string {
    const { x = '' } = this.#pair.publicKey.export({ format: 'jwk' });
    return Buffer.from(x, 'base64url').toString('base64');
  }

  /** The file. */
  sign(payload: string, { keyId = 'ops', domain = 'sentinel-cohorts-v1\n' } = {}): string {
    const signature = sign(null, Buffer.from(domain + payload), this.#pair.privateKey).toString('base64');
    return JSON.stringify({ payload, key_id: keyId, signature });
  }
}
