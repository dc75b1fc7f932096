import type { UpstreamHttp } from './http.js';
import { fieldsOf, textOf } from './json.js';
import { metadataOf } from './kserve.js';

/** Platforms of Triton that run a graph from a file: such a model can read nothing else. Python, ensembles and whatever is not known can. */
const GRAPHS: ReadonlySet<string> = new Set([
  'onnxruntime_onnx',
  'openvino',
  'pytorch_libtorch',
  'tensorflow_graphdef',
  'tensorflow_savedmodel',
  'tensorrt_plan',
]);

/**
 * Whether a model computes from the request and its weights alone. One that looks up features in a table answers otherwise as soon as its
 * table is read anew, one replica after the other, and that looks like a fault in every other way.
 * @param inferPath of a version of a model
 * @param declared models of which the operator says so
 * @throws SentinelError where the server does not answer
 */
export async function isPure(
  http: Pick<UpstreamHttp, 'look'>,
  inferPath: string,
  declared: readonly string[],
): Promise<boolean> {
  const metadata = metadataOf(inferPath);
  if (metadata === null) return false;
  if (declared.includes(metadata.model)) return true;
  return GRAPHS.has(textOf(fieldsOf(await http.look(metadata.path))['platform']));
}
