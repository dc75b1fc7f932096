"""A tenant for gpu_measure --tenant: training steps of a small transformer in PyTorch, one line each on standard output.

A line is the end of a step in ns of CLOCK_MONOTONIC and its length in us by CUDA events.

    gpu_measure --tenant 'python3 tests/gpu/train_step.py'
"""

import time

import torch
from torch import nn

WIDTH, HEADS, LAYERS, LENGTH, BATCH, WORDS = 2048, 16, 8, 1024, 8, 32_000
WARM_UP_STEPS = 20


def main() -> None:
    """Trains on random words for ever."""
    torch.manual_seed(1)
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, batch_first=True, dropout=0, norm_first=True)
    model = nn.Sequential(nn.Embedding(WORDS, WIDTH), nn.TransformerEncoder(layer, LAYERS), nn.Linear(WIDTH, WORDS)).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    words = torch.randint(WORDS, (BATCH, LENGTH), device="cuda")
    began, ended = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    step = 0
    while True:
        began.record()
        with torch.autocast("cuda", torch.bfloat16):
            loss = nn.functional.cross_entropy(model(words).flatten(0, 1).float(), words.flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        ended.record()
        ended.synchronize()
        step += 1
        if step > WARM_UP_STEPS:
            print(time.monotonic_ns(), began.elapsed_time(ended) * 1000, flush=True)


if __name__ == "__main__":
    main()
