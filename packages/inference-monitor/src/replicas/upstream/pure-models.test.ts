import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPure } from './pure-models.js';

const PATH = '/v2/models/rank/versions/3/infer';

test('a model is known to be pure where its platform is a graph, or where the operator says so', async () => {
  const asked: string[] = [];
  const of = (platform: string | null, declared: string[] = [], path = PATH) => {
    const look = async (at: string) => {
      asked.push(at);
      return platform === null ? null : { name: 'rank', platform };
    };
    return isPure({ look }, path, declared);
  };
  for (const platform of ['tensorrt_plan', 'onnxruntime_onnx', 'pytorch_libtorch', 'tensorflow_savedmodel'])
    assert.equal(await of(platform), true, platform);
  for (const platform of ['python', 'ensemble', 'mlserver_sklearn.SKLearnModel', '', null])
    assert.equal(await of(platform), false, `${platform}`);
  assert.deepEqual([...new Set(asked)], ['/v2/models/rank/versions/3']);
  assert.equal(await of('python', ['other', 'rank']), true);
  assert.equal(await of('tensorrt_plan', ['rank'], '/v2/models/rank/infer'), false, 'no version');
});
