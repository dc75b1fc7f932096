"""Trains a tiny transformer on four ranks, as any job does; only the two lines marked SENTINEL are added.

    torchrun --nproc-per-node 4 train.py

The rest is there to do harm on purpose, which the library knows nothing of. FAULT = "weight": on rank 2 one bit of one weight flips
in the memory after step 20, once. FAULT = "product": from step 20 on one element of a matrix product of rank 2 comes out wrong.
CHECKPOINT: a file that the job goes on from, where there is one, and writes at its end.
"""

import os

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import sentinel_training

VOCABULARY, LENGTH, BATCH = 97, 24, 4
FAULTY_RANK, FAULTY_STEP = 2, 20


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 64)
        layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(64, VOCABULARY)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        return self.head(self.layers(self.embedding(tokens), mask=mask, is_causal=True))


def flip_bit(tensor: torch.Tensor) -> None:
    """The lowest bit of the exponent of one element."""
    with torch.no_grad():
        tensor.view(torch.int32).view(-1)[5] ^= 1 << 23


def main() -> None:
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    fault = os.environ.get("FAULT", "none") if rank == FAULTY_RANK else "none"
    torch.manual_seed(1)
    model = Model()
    step = 0

    def wrong_product(_module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        if step >= FAULTY_STEP:
            output.data.view(-1)[7] *= 1.5

    if fault == "product":
        model.layers.layers[0].linear1.register_forward_hook(wrong_product)
    model = DistributedDataParallel(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    monitor = sentinel_training.pytorch.TrainingMonitor(config_path=os.environ["SENTINEL_CONFIG"])  # SENTINEL
    monitor.attach(model, optimizer)  # SENTINEL
    checkpoint = os.environ.get("CHECKPOINT", "")
    if os.path.exists(checkpoint):
        kept = torch.load(checkpoint)
        model.module.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
    data = torch.Generator().manual_seed(100 + rank)
    for step in range(int(os.environ.get("STEPS", "200"))):
        tokens = torch.randint(VOCABULARY, (BATCH, LENGTH + 1), generator=data)
        loss = F.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if fault == "weight" and step == FAULTY_STEP:
            flip_bit(model.module.head.weight)
        if rank == 0 and step % 20 == 0:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    dist.barrier()
    if checkpoint and rank == 0:
        torch.save({"model": model.module.state_dict(), "optimizer": optimizer.state_dict()}, checkpoint)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
