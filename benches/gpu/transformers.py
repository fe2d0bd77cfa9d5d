"""Random models of the four blocks in bf16, and what transformers computes for them in f32.

python3 benches/gpu/transformers.py FOLDER TOKENIZER writes a folder for each of them, with the files of the folder
TOKENIZER; tests/cuda.rs reads them.
"""
import json
import os
import shutil
import sys

# A script's folder comes first, and this one has the name of the package.
sys.path.pop(0)

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

COMMON = dict(
    hidden_size=768, intermediate_size=2304, num_hidden_layers=4, vocab_size=8192,
    max_position_embeddings=2048, bos_token_id=0, eos_token_id=0, pad_token_id=0,
)
CASES = {
    "llama": LlamaConfig(num_attention_heads=12, num_key_value_heads=4, head_dim=64, **COMMON),
    "mistral": MistralConfig(num_attention_heads=6, num_key_value_heads=2, head_dim=128, sliding_window=None, **COMMON),
    "qwen2": Qwen2Config(num_attention_heads=12, num_key_value_heads=2, tie_word_embeddings=True, **COMMON),
    "qwen3": Qwen3Config(num_attention_heads=6, num_key_value_heads=3, head_dim=128, tie_word_embeddings=False, **COMMON),
}
TOKENS = 256
PROMPT = [(i * 37 + 5) % 8000 for i in range(24)]
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def write(config, path, tokenizer):
    """A model with weights that no initialisation would give: norms and biases are not left out."""
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.04)
            elif "norm" in name:
                parameter.uniform_(0.5, 1.5)
            else:
                parameter.normal_(0, 0.1)
    model.to(torch.bfloat16).save_pretrained(path)
    for file in os.listdir(tokenizer):
        shutil.copy(os.path.join(tokenizer, file), path)


def logits(path, dtype, tokens):
    """The logits before every token, and the tokens. Without tokens, the most probable ones are taken."""
    # Read anew: a model that was converted keeps its rotary frequencies as bf16 had rounded them.
    model = AutoModelForCausalLM.from_pretrained(path, dtype=dtype).to(DEVICE).eval()
    rows, taken = [], []
    with torch.no_grad():
        out = model(torch.tensor([PROMPT], device=DEVICE), use_cache=True)
        for step in range(TOKENS):
            rows.append(out.logits[0, -1].float())
            taken.append(tokens[step] if tokens else rows[-1].argmax().item())
            last = torch.tensor([[taken[-1]]], device=DEVICE)
            out = model(last, past_key_values=out.past_key_values, use_cache=True)
    return torch.stack(rows), taken


def main(folder, tokenizer):
    torch.manual_seed(7)
    for name, config in CASES.items():
        path = os.path.join(folder, name)
        write(config, path, tokenizer)
        right, greedy = logits(path, torch.float32, None)
        rounded, _ = logits(path, torch.bfloat16, greedy)
        top = right.topk(2).values
        expected = dict(
            prompt=PROMPT,
            greedy=greedy,
            sparse=[[round(x, 5) for x in row] for row in right[:, ::50].tolist()],
            gaps=((top[:, 0] - top[:, 1]) / right.pow(2).mean(1).sqrt()).tolist(),
            bf16=((rounded - right).norm(dim=1) / right.norm(dim=1)).tolist(),
        )
        with open(os.path.join(path, "expected.json"), "w") as file:
            json.dump(expected, file)
        print(name, len(set(greedy)), "different tokens", flush=True)


main(*sys.argv[1:3])
