#!/usr/bin/env python3
"""The quality of embedded models on data that their training never saw, side by side: one table, and all of it as JSON.

    python3 quality.py --model first=old/nano-q4_k.gguf --model new=nano-q4_k.gguf --json quality.json \\
        --held-out val --prompts prompts.jsonl --templates templates.jsonl --humaneval HumanEval.jsonl \\
        --maze ../../../target/release/maze

The first model is the one that others are compared with. A tokenizer is the `tokenizer.json` beside the file, or
`NAME=MODEL.gguf,TOKENIZER.json`. Parts (`--parts`):

    bits       bits per byte of each kind on `--held-out`/<kind>.jsonl
    free       share of sampled functions, JSON and SQL that a parser accepts, without a grammar
    grammar    the same requests through the program, under its shipped grammars
    following  greedy answers to `--prompts`, without a grammar and, through the program, with it
    templates  the same for `--templates`, requests whose wordings no generator of the training texts can write
    humaneval  HumanEval pass@1
    speed      the program with grammar and trace against llama.cpp without, by turns

What a part needs and is not there leaves the part out with a sentence. Needed: torch, tokenizers; for the judges
tree-sitter and tree-sitter-python, -typescript, -rust, -go, -zig; for `speed` llama-cpp-python, built where it runs
(`CMAKE_ARGS=-DGGML_NATIVE=ON pip install llama-cpp-python`), on a machine that does nothing else. SQL is judged by
SQLite's own parser (EXPLAIN of every statement), JSON by Python's. A text that the model did not end within 300 tokens
is not accepted, and counted. With other programs on the machine `--threads 1` is the fastest on a CPU.

The models may run on a machine with a GPU and the judges on another one: there `--save-samples FILE`, here
`--samples FILE` with the same options. Results that `--json` already holds stay if they are not measured again.
"""

import argparse
import json
import os
import sys
import time

from quality import bits, following, humaneval, sampling, speed, table
from quality.decoder import Decoder, Sample
from quality.maze import Maze
from quality.parsers import MissingTool
from quality.requests import KINDS, of_kind

PARTS = ("bits", "free", "grammar", "following", "templates", "humaneval", "speed")


def say(sentence):
    print(f"[{time.strftime('%H:%M:%S')}] {sentence}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[], metavar="NAME=GGUF[,TOKENIZER]")
    parser.add_argument("--parts", default=",".join(PARTS), help="which to measure, joined by commas")
    parser.add_argument("--held-out", metavar="DIR", help="folder of <kind>.jsonl with held-out documents")
    parser.add_argument("--held-out-bytes", type=int, default=0, metavar="N", help="at most so many of a kind; 0: all")
    parser.add_argument("--prompts", metavar="FILE", help="prompts.jsonl, whose format is in prompts.md")
    parser.add_argument("--templates", metavar="FILE", help="templates.jsonl, of the same format")
    parser.add_argument("--humaneval", metavar="FILE", help="HumanEval.jsonl or .jsonl.gz")
    parser.add_argument("--maze", metavar="FILE", help="the program's binary")
    parser.add_argument("--count", type=int, default=200, help="samples of a kind")
    parser.add_argument("--temperature", type=float, default=0.8, help="of sampled functions, JSON and SQL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", help="cpu or cuda [default: cuda if there is one]")
    parser.add_argument("--batch", type=int, help="samples computed together")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes of the program at a time")
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count(), help="of torch on the CPU, and of both sides of `speed`"
    )
    parser.add_argument("--prompt-tokens", type=int, default=128, help="length of the prompt of `speed`")
    parser.add_argument("--save-samples", metavar="FILE", help="write what the models wrote, one JSON object a line")
    parser.add_argument("--samples", metavar="FILE", help="judge what was saved instead of sampling")
    parser.add_argument("--json", metavar="FILE", help="write the results, into what is there already")
    parser.add_argument("--table", action="store_true", help="measure nothing, print the table of --json")
    return parser.parse_args()


class Samples:
    """What the models wrote: taken from a file if it is there, else generated, and kept for `--save-samples`."""

    def __init__(self, source, target):
        self.saved, self.target = {}, target
        if target:
            open(target, "w").close()
        if source:
            with open(source, encoding="utf-8") as file:
                for line in file:
                    row = json.loads(line)
                    sample = Sample(row["text"], row["tokens"], row["ended"])
                    self.saved[row["model"], row["part"], row["prompt"], row["number"]] = sample

    def get(self, model, part, prompts, generate):
        """A sample for each prompt; `generate()` is asked if not all of them were saved."""
        keys = [(model, part, prompt, number) for number, prompt in enumerate(prompts)]
        found = [self.saved.get(key) for key in keys]
        if not all(found):
            if self.saved:
                say(f"{part}: the saved samples of {model} have other prompts or none; they are sampled here")
            found = generate()
        if self.target:
            with open(self.target, "a", encoding="utf-8") as file:
                for (_, _, prompt, number), sample in zip(keys, found):
                    row = {"model": model, "part": part, "prompt": prompt, "number": number}
                    file.write(json.dumps(row | vars(sample)) + "\n")
        return found


def missing(options, part):
    """Why a part cannot be measured, or None."""
    needed = {
        "bits": ("held_out",),
        "grammar": ("maze",),
        "following": ("prompts",),
        "templates": ("templates",),
        "humaneval": ("humaneval",),
        "speed": ("maze",),
    }
    for option in needed.get(part, ()):
        path = getattr(options, option)
        if not path or not os.path.exists(path):
            return f"{part} left out: --{option.replace('_', '-')} {path or 'is not given'}{' is not there' if path else ''}"
    return None


def follow(part, path, options, name, model, maze, samples, results):
    """Puts what was done as asked of a file of requests into `results`, without a grammar and with it."""
    prompts = following.read(path)
    texts = [prompt["prompt"] for prompt in prompts]
    wrote = samples.get(name, part, texts, lambda: following.free(model, prompts, options.batch))
    try:
        results[part] = following.judge(prompts, wrote)
        say(f"{part}: {results[part]['right']} of {len(prompts)} by {name}")
        if maze:
            results[f"{part}-grammar"] = following.judge(prompts, following.constrained(maze, prompts))
            say(f"{part} with a grammar: {results[f'{part}-grammar']['right']} of {len(prompts)} by {name}")
        else:
            say(f"{part} with a grammar left out: --maze is not there")
    except MissingTool as why:
        say(f"{part} is not judged: {why}")


def measure(options, name, model, samples, parts, results):
    """Puts the result of each part into `results`."""
    if "bits" in parts:
        results["bits"] = bits.measure(model, options.held_out, options.held_out_bytes, say)
    maze = None
    if options.maze and os.path.exists(options.maze):
        maze = Maze(options.maze, model, options.jobs)
    if "free" in parts:
        found = {}
        for kind in KINDS:
            asked = of_kind(kind, options.count)
            prompts = [request.prompt for request in asked]
            wrote = samples.get(name, f"free-{kind}", prompts, lambda: sampling.free(model, prompts, options))
            found[kind] = list(zip(asked, wrote))
            say(f"free: {len(asked)} samples of {kind} by {name}")
        results["free"] = sampling.judge(found, say)
    if "grammar" in parts:
        found = {}
        for kind in KINDS:
            asked = of_kind(kind, options.count)
            found[kind] = list(zip(asked, sampling.constrained(maze, asked, options)))
            say(f"grammar: {len(asked)} samples of {kind} by {name}")
        results["grammar"] = sampling.judge(found, say)
    for part, path in (("following", options.prompts), ("templates", options.templates)):
        if part in parts:
            follow(part, path, options, name, model, maze, samples, results)
    if "humaneval" in parts:
        tasks = humaneval.read(options.humaneval)
        texts = [task["prompt"] for task in tasks]
        wrote = samples.get(name, "humaneval", texts, lambda: humaneval.complete(model, tasks, options.batch))
        results["humaneval"] = humaneval.judge(tasks, wrote, options.jobs)
        say(f"humaneval: {len(results['humaneval']['solved'])} of {len(tasks)} by {name}")
    if "speed" in parts:
        results["speed"] = speed.measure(model, maze, options.threads, options.prompt_tokens, say)


def main():
    options = arguments()
    stored = {"models": {}, "results": {}}
    if options.json and os.path.exists(options.json):
        with open(options.json, encoding="utf-8") as file:
            stored = json.load(file)
    parts = [part for part in options.parts.split(",") if part]
    unknown = set(parts) - set(PARTS)
    if unknown:
        sys.exit(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if not options.table:
        import torch

        device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
        torch.set_num_threads(options.threads)
        samples = Samples(options.samples, options.save_samples)
        for part in list(parts):
            if why := missing(options, part):
                say(why)
                parts.remove(part)
        for given in options.model:
            name, _, files = given.partition("=")
            path, _, tokenizer = files.partition(",")
            model = Decoder(path, tokenizer or None, device)
            stored["models"][name] = {
                "bytes": model.bytes,
                "parameters": model.parameters,
                "layers": model.layers,
                "width": model.width,
                "context": model.context,
                "vocabulary": model.weights["token_embd.weight"].shape[0],
            }
            results = stored["results"].setdefault(name, {})
            settings = {"count": options.count, "temperature": options.temperature, "seed": options.seed}
            results["settings"] = settings | {"held_out_bytes": options.held_out_bytes}
            for part in parts:
                measure(options, name, model, samples, [part], results)
                if options.json:
                    with open(options.json + ".part", "w", encoding="utf-8") as file:
                        json.dump(stored, file, indent=1)
                    os.replace(options.json + ".part", options.json)
    for name, facts in stored["models"].items():
        print(
            f"{name}: {facts['parameters'] / 1e6:.1f} M parameters, {facts['bytes'] / 1e6:.2f} MB, {facts['layers']} layers "
            f"of {facts['width']}, vocabulary {facts['vocabulary']}, context {facts['context']}"
        )
    print()
    print(table.show(list(stored["models"]), stored["results"]))


if __name__ == "__main__":
    main()
