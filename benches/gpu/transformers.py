"""Random models of the four blocks, in bf16 and quantised, and what transformers computes for them in f32.

python3 benches/gpu/transformers.py FOLDER TOKENIZER writes a folder for each of them, with the files of the folder
TOKENIZER, which has 8192 tokens; tests/cuda/transformers.rs reads them. Needs torch, transformers, numpy and gguf.
"""
import json
import os
import shutil
import sys

# A script's folder comes first, and this one has the name of the package.
sys.path.pop(0)

import gguf
import numpy as np
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
TYPES = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "q4_k": gguf.GGMLQuantizationType.Q4_K}
# What GGUF calls the parts of a block.
PARTS = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}
WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
TOKENS = 256
PROMPT = [(i * 37 + 5) % 8000 for i in range(24)]
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def fill(model):
    """Weights that no initialisation would give: norms and biases are not left out."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.04)
            elif "norm" in name:
                parameter.uniform_(0.5, 1.5)
            else:
                parameter.normal_(0, 0.1)


def blocks(kind, rows, columns, random):
    """A matrix of random quantised weights, as bytes."""
    if kind == "q8_0":
        data = random.integers(0, 256, (rows, columns // 32, 34), dtype=np.uint8)
        data[:, :, 0:2] = np.frombuffer(np.float16(0.04 / 74).tobytes(), np.uint8)
    else:
        data = random.integers(0, 256, (rows, columns // 256, 144), dtype=np.uint8)
        data[:, :, 0:2] = np.frombuffer(np.float16(2e-4).tobytes(), np.uint8)
        data[:, :, 2:4] = np.frombuffer(np.float16(1.5e-3).tobytes(), np.uint8)
    return data.reshape(rows, -1)


def gguf_name(name):
    """`model.layers.0.mlp.up_proj.weight` is `blk.0.ffn_up.weight`."""
    whole, kind = name.rsplit(".", 1)
    if whole in WHOLE:
        return f"{WHOLE[whole]}.{kind}"
    _, _, layer, part = whole.split(".", 3)
    return f"blk.{layer}.{PARTS[part]}.{kind}"


def paired(data, heads):
    """The rows of Llama's queries and keys in the order that GGUF has them: those that turn together side by side."""
    rows, width = data.shape
    return data.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width)


def write(config, path, tokenizer):
    """A model in bf16, as a folder."""
    model = AutoModelForCausalLM.from_config(config)
    fill(model)
    model.to(torch.bfloat16).save_pretrained(path)
    for file in os.listdir(tokenizer):
        shutil.copy(os.path.join(tokenizer, file), path)


def write_quantised(name, config, kind, path, tokenizer):
    """A quantised model as a GGUF file, and the same in f32."""
    os.makedirs(path)
    for file in os.listdir(tokenizer):
        shutil.copy(os.path.join(tokenizer, file), path)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    fill(model)
    architecture = "llama" if name == "mistral" else name
    file = gguf.GGUFWriter(os.path.join(path, "model.gguf"), architecture)
    file.add_context_length(config.max_position_embeddings)
    file.add_embedding_length(config.hidden_size)
    file.add_block_count(config.num_hidden_layers)
    file.add_feed_forward_length(config.intermediate_size)
    file.add_head_count(config.num_attention_heads)
    file.add_head_count_kv(config.num_key_value_heads)
    file.add_layer_norm_rms_eps(config.rms_norm_eps)
    random = np.random.default_rng(len(name))
    with torch.no_grad():
        for weight, parameter in model.named_parameters():
            if parameter.dim() == 1:
                file.add_tensor(gguf_name(weight), parameter.numpy())
                continue
            data = blocks(kind, *parameter.shape, random)
            parameter.copy_(torch.from_numpy(gguf.quants.dequantize(data, TYPES[kind])))
            if architecture == "llama" and weight.endswith("q_proj.weight"):
                data = paired(data, config.num_attention_heads)
            elif architecture == "llama" and weight.endswith("k_proj.weight"):
                data = paired(data, config.num_key_value_heads)
            file.add_tensor(gguf_name(weight), data, raw_dtype=TYPES[kind])
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return model


def read(path, dtype):
    """A model of a folder. Read anew, for one that was converted keeps its rotary frequencies as bf16 had them."""
    return AutoModelForCausalLM.from_pretrained(path, dtype=dtype)


def logits(model, tokens):
    """The logits before every token, and the tokens. Without tokens, the most probable ones are taken."""
    model = model.to(DEVICE).eval()
    rows, taken = [], []
    with torch.no_grad():
        out = model(torch.tensor([PROMPT], device=DEVICE), use_cache=True)
        for step in range(TOKENS):
            rows.append(out.logits[0, -1].float())
            taken.append(tokens[step] if tokens else rows[-1].argmax().item())
            last = torch.tensor([[taken[-1]]], device=DEVICE)
            out = model(last, past_key_values=out.past_key_values, use_cache=True)
    return torch.stack(rows), taken


def record(path, right, greedy, rounded):
    """Writes what is expected of a model; `rounded` are its logits in bf16, if it is one."""
    top = right.topk(2).values
    expected = dict(
        prompt=PROMPT,
        greedy=greedy,
        sparse=[[round(x, 5) for x in row] for row in right[:, ::50].tolist()],
        gaps=((top[:, 0] - top[:, 1]) / right.pow(2).mean(1).sqrt()).tolist(),
        bf16=[] if rounded is None else ((rounded - right).norm(dim=1) / right.norm(dim=1)).tolist(),
    )
    with open(os.path.join(path, "expected.json"), "w") as file:
        json.dump(expected, file)
    print(path, len(set(greedy)), "different tokens", flush=True)


def main(folder, tokenizer):
    torch.manual_seed(7)
    for name, config in CASES.items():
        path = os.path.join(folder, name)
        write(config, path, tokenizer)
        right, greedy = logits(read(path, torch.float32), None)
        rounded, _ = logits(read(path, torch.bfloat16), greedy)
        record(path, right, greedy, rounded)
        for kind in TYPES:
            path = os.path.join(folder, f"{name}-{kind}")
            model = write_quantised(name, config, kind, path, tokenizer)
            record(path, *logits(model, None), None)


main(*sys.argv[1:3])
