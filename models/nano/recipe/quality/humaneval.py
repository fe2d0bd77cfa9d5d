"""HumanEval, pass@1: greedy completions of 164 Python functions, run against their tests.

The tasks are not part of the recipe: `HumanEval.jsonl` is in https://github.com/openai/human-eval (data/).
"""

import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

MOST_TOKENS = 300
STOPS = ("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\n@", "\nassert ", '\n"""')
SECONDS, MEMORY = 5, 1 << 30


def read(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def cut(text):
    """A completion up to what no longer belongs to the function."""
    ends = [text.find(stop) for stop in STOPS if stop in text]
    return text[: min(ends)] if ends else text


def complete(model, tasks, batch):
    stop = lambda text: any(end in text for end in STOPS)
    return model.generate([task["prompt"] for task in tasks], MOST_TOKENS, 0.0, 0, batch, stop)


def limits():
    """Of the process that runs what a model wrote: time, memory, no files, no processes."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def passes(task, text):
    """Whether the tests of a task run through with a completion."""
    program = f"{task['prompt']}{cut(text)}\n{task['test']}\ncheck({task['entry_point']})\n"
    with tempfile.TemporaryDirectory(prefix="humaneval-") as folder:
        try:
            process = subprocess.run(
                [sys.executable, "-I", "-c", program],
                cwd=folder,
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=4 * SECONDS,
                preexec_fn=limits,
            )
        except subprocess.TimeoutExpired:
            return False
    return process.returncode == 0


def judge(tasks, samples, jobs):
    """pass@1 and the tasks that were solved."""
    for task in tasks[:3]:
        if not passes(task, task["canonical_solution"]):
            raise RuntimeError(f"the right solution of {task['task_id']} fails here, so that nothing can be judged")
    with ThreadPoolExecutor(jobs) as pool:
        rights = list(pool.map(lambda pair: passes(*pair), zip(tasks, (sample.text for sample in samples))))
    solved = [task["task_id"] for task, good in zip(tasks, rights) if good]
    return {"tasks": len(tasks), "solved": solved, "pass_at_1": len(solved) / len(tasks)}
