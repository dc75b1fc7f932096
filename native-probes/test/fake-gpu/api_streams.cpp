// Driver functions about streams, events and graphs.
#include "cuda_api.h"
#include "launch_call.h"
#include "machine.h"
#include "streams.h"

using namespace sentinel::fake;

namespace sentinel::fake {

int enqueue(const char* function, Stream* stream, Operation operation) {
  if (const int error = enter_context(function); error != kSuccess) return error;
  if (!machine()->streams.has(stream)) return kInvalidHandle;
  (stream->capturing ? stream->captured : stream->pending).push_back(std::move(operation));
  return kSuccess;
}

}  // namespace sentinel::fake

namespace {

int enter_stream(const char* function, Stream* stream) {
  if (const int error = enter_context(function); error != kSuccess) return error;
  if (!machine()->streams.has(stream)) return kInvalidHandle;
  return stream->capturing ? kStreamCaptureUnsupported : kSuccess;
}

}  // namespace

FAKE_CUDA_API cuStreamCreateWithPriority(Stream** stream, unsigned flags, int priority) {
  if (const int error = enter_context("cuStreamCreateWithPriority"); error != kSuccess) return error;
  *stream = machine()->streams.add({current_context()});
  return kSuccess;
}

FAKE_CUDA_API cuStreamQuery(Stream* stream) {
  if (const int error = enter_stream("cuStreamQuery", stream); error != kSuccess) return error;
  return drain(*stream);
}

FAKE_CUDA_API cuStreamSynchronize(Stream* stream) {
  if (const int error = enter_stream("cuStreamSynchronize", stream); error != kSuccess) return error;
  const int status = drain(*stream);
  if (status == kNotReady) hang();
  return status;
}

FAKE_CUDA_API cuStreamBeginCapture_v2(Stream* stream, int mode) {
  if (const int error = enter_stream("cuStreamBeginCapture_v2", stream); error != kSuccess) return error;
  stream->capturing = true;
  return kSuccess;
}

FAKE_CUDA_API cuStreamEndCapture(Stream* stream, Graph** graph) {
  if (const int error = enter_context("cuStreamEndCapture"); error != kSuccess) return error;
  if (!machine()->streams.has(stream) || !stream->capturing) return kInvalidHandle;
  stream->capturing = false;
  *graph = machine()->graphs.add({});
  (*graph)->operations.swap(stream->captured);
  for (size_t i = 0; i < (*graph)->operations.size(); i++) {
    (*graph)->nodes.push_back(std::make_unique<GraphNode>(GraphNode{*graph, i}));
  }
  return kSuccess;
}

FAKE_CUDA_API cuGraphGetNodes(Graph* graph, GraphNode** nodes, size_t* count) {
  if (const int error = enter_context("cuGraphGetNodes"); error != kSuccess) return error;
  if (!machine()->graphs.has(graph)) return kInvalidHandle;
  const size_t given = *count;
  *count = graph->nodes.size();
  for (size_t i = 0; nodes != nullptr && i < given; i++) nodes[i] = i < *count ? graph->nodes[i].get() : nullptr;
  if (nodes != nullptr && given < *count) *count = given;
  return kSuccess;
}

FAKE_CUDA_API cuGraphNodeGetType(GraphNode* node, int* type) {
  if (const int error = enter_context("cuGraphNodeGetType"); error != kSuccess) return error;
  *type = static_cast<int>(node->graph->operations[node->index].type);
  return kSuccess;
}

FAKE_CUDA_API cuGraphInstantiateWithFlags(GraphExecutable** executable, Graph* graph, unsigned long long flags) {
  if (const int error = enter_context("cuGraphInstantiateWithFlags"); error != kSuccess) return error;
  if (!machine()->graphs.has(graph)) return kInvalidHandle;
  *executable = machine()->executables.add({graph, graph->operations});
  return kSuccess;
}

FAKE_CUDA_API cuGraphExecKernelNodeSetParams_v2(GraphExecutable* executable, GraphNode* node,
                                                const CudaKernelNodeParams* params) {
  if (const int error = enter_context("cuGraphExecKernelNodeSetParams_v2"); error != kSuccess) return error;
  if (!machine()->executables.has(executable) || node->graph != executable->graph) return kInvalidHandle;
  Operation& operation = executable->operations[node->index];
  if (operation.type != OperationType::kKernel) return kInvalidValue;
  return make_call({static_cast<Function*>(params->func),
                    {params->grid_x, params->grid_y, params->grid_z},
                    {params->block_x, params->block_y, params->block_z},
                    params->shared_bytes,
                    params->arguments,
                    params->extra},
                   operation.kernel);
}

FAKE_CUDA_API cuGraphLaunch(GraphExecutable* executable, Stream* stream) {
  if (const int error = enter_stream("cuGraphLaunch", stream); error != kSuccess) return error;
  if (!machine()->executables.has(executable)) return kInvalidHandle;
  for (const Operation& operation : executable->operations) stream->pending.push_back(operation);
  return kSuccess;
}

FAKE_CUDA_API cuEventCreate(Event** event, unsigned flags) {
  if (const int error = enter_context("cuEventCreate"); error != kSuccess) return error;
  *event = machine()->events.add({current_context()});
  return kSuccess;
}

FAKE_CUDA_API cuEventRecord(Event* event, Stream* stream) {
  if (machine() != nullptr && !machine()->events.has(event)) return kInvalidHandle;
  const int status = enqueue("cuEventRecord", stream, {OperationType::kEvent, {}, [event](Stream&) {
                                                         event->recorded_ns = event->context->device->clock_ns;
                                                         return kSuccess;
                                                       }});
  if (status != kSuccess) return status;
  event->stream = stream;
  event->recorded_ns = 0;
  return kSuccess;
}

FAKE_CUDA_API cuEventQuery(Event* event) {
  if (const int error = enter_context("cuEventQuery"); error != kSuccess) return error;
  if (!machine()->events.has(event)) return kInvalidHandle;
  if (event->stream == nullptr || event->recorded_ns != 0) return kSuccess;
  return drain(*event->stream);
}

FAKE_CUDA_API cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
  if (const int error = enter_context("cuEventElapsedTime"); error != kSuccess) return error;
  if (!machine()->events.has(start) || !machine()->events.has(end)) return kInvalidHandle;
  if (start->recorded_ns == 0 || end->recorded_ns == 0) return kNotReady;
  *milliseconds = static_cast<float>(static_cast<double>(end->recorded_ns - start->recorded_ns) * 1e-6);
  return kSuccess;
}
