/**
 * DSSE envelope (secure-systems-lab/dsse, v1): what is signed is type and payload together, so that no payload can be passed off
 * as one of another type. Any tool that knows DSSE and Ed25519 opens it.
 */
import type { SigningKey, VerifierKey } from '../note/keys.js';

export interface Envelope {
  readonly payloadType: string;
  /** Base64. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';
}

export function sealEnvelope(payloadType: string, payload: Buffer, key: SigningKey): Envelope {
  const sig = key.sign(preAuthEncoding(payloadType, payload)).toString('base64');
  return { payloadType, payload: payload.toString('base64'), signatures: [{ keyid: keyIdOf(key.verifier), sig }] };
}

/** The payload, once `key` is found to have signed it as of this type. @throws EnvelopeError */
export function openEnvelope(text: string, payloadType: string, key: VerifierKey): Buffer {
  const envelope = parsed(text);
  if (envelope.payloadType !== payloadType) throw new EnvelopeError(`payload is of type ${envelope.payloadType}`);
  const payload = Buffer.from(envelope.payload, 'base64');
  const message = preAuthEncoding(payloadType, payload);
  const ours = envelope.signatures.filter(({ keyid }) => keyid === keyIdOf(key));
  if (ours.length === 0) throw new EnvelopeError(`it carries no signature by ${key.text}`);
  if (!ours.every(({ sig }) => key.verify(message, Buffer.from(sig, 'base64'))))
    throw new EnvelopeError(`the signature by ${key.text} does not verify`);
  return payload;
}

export function keyIdOf({ id }: VerifierKey): string {
  return Buffer.from(id).toString('hex');
}

/** DSSE protocol, "PAE". */
function preAuthEncoding(type: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function parsed(text: string): Envelope {
  try {
    const { payloadType, payload, signatures } = JSON.parse(text) as { [name: string]: unknown };
    if (typeof payloadType === 'string' && typeof payload === 'string' && Array.isArray(signatures))
      return { payloadType, payload, signatures };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new EnvelopeError('it is no DSSE envelope');
}
