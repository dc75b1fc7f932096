/** Of a model, as inference.proto says. */
const MAX_MODEL_BYTES = 200;

/** @returns as much of the text as has so many bytes in UTF-8, and no part of a character */
export function clipped(text: string, bytes: number): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes), { stream: true });
}

/** @param version as its server tells it: what another version answers is something else; '' = it tells none */
export function modelName(name: string, version = ''): string {
  const end = version === '' ? '' : clipped(`:${version}`, MAX_MODEL_BYTES / 2);
  return clipped(name, MAX_MODEL_BYTES - Buffer.byteLength(end)) + end;
}
