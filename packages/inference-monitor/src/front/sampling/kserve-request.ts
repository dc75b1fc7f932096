/** Parameters that say how tensors are written, and no more. */
const HARMLESS = new Set(['binary_data', 'binary_data_output', 'binary_data_size', 'classification']);

type Fields = Readonly<Record<string, unknown>>;

/**
 * Whether a request of KServe v2 over HTTP only computes, so that it may be computed again: the parameters of others go on with a sequence
 * of requests (`sequence_id`), or name shared memory that answers are written to (Triton's extensions of the protocol).
 * @param headerLength bytes of JSON before binary tensors; 0 = all of it is JSON
 */
export function computesOnly(body: Uint8Array, headerLength: number): boolean {
  let request: unknown;
  try {
    const json = headerLength === 0 ? body : body.subarray(0, headerLength);
    request = JSON.parse(Buffer.from(json).toString('utf8'));
  } catch {
    return false;
  }
  if (!isFields(request)) return false;
  const { inputs = [], outputs = [] } = request;
  if (!Array.isArray(inputs) || !Array.isArray(outputs)) return false;
  return [request, ...inputs, ...outputs].every((part) => isFields(part) && isHarmless(part['parameters']));
}

function isHarmless(parameters: unknown): boolean {
  if (parameters === undefined) return true;
  return isFields(parameters) && Object.keys(parameters).every((name) => HARMLESS.has(name));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
