"""vLLM: records of sampled requests, checksums of the weights in its workers, answers to the analyser's questions."""
