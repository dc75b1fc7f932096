"""Makes a tiny Llama of random weights, the same each time, with a tokenizer: small enough for a CPU, and served as any other.

    python tiny_model.py FOLDER float32|bfloat16

Needs the environment "vllm".
"""

from __future__ import annotations

import sys

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

TOKENS = 512
SEED = 20261128
# Spread of the weights, and of the last matrix: logits that spread by about 2.5, an entropy of 3 to 4 nats.
SPREAD, LAST = 0.08, 0.16
CORPUS = [
    "the quick brown fox jumps over the lazy dog",
    "silent data corruption in a fleet of accelerators",
    "every probe verifies arithmetic on each multiprocessor",
]
CHAT = (
    "{% for m in messages %}{{ m['role'] + ': ' + (m['content'] or '') + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def main(folder: str, dtype: str) -> None:
    tokenizer().save_pretrained(folder)
    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=TOKENS,
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=2048,
        initializer_range=SPREAD,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.lm_head.weight.normal_(0, LAST)
    model.to({"float32": torch.float32, "bfloat16": torch.bfloat16}[dtype]).save_pretrained(folder)


def tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    special = ["<s>", "</s>", "<pad>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator(CORPUS * 50, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token=special[0], eos_token=special[1], pad_token=special[2]
    )
    fast.chat_template = CHAT
    return fast


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
