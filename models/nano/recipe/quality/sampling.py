"""How many sampled functions, JSON texts and SQL statements a parser accepts, without a grammar and with the shipped one."""

from . import parsers

MOST_TOKENS = 300


def free(model, prompts, options):
    """Samples of the model alone."""
    return model.generate(prompts, MOST_TOKENS, options.temperature, options.seed, options.batch)


def constrained(maze, asked, options):
    """Samples for the same requests through the program, under the grammar of their kind."""
    calls = [
        (request.kind, request.prompt, request.turn, None, MOST_TOKENS, options.temperature, options.seed + number)
        for number, request in enumerate(asked)
    ]
    return maze.generate_all(calls)


def judge(found, say):
    """For each kind: the share accepted of all and of those that ended, and how many did not end."""
    results = {}
    for kind, pairs in found.items():
        try:
            accepted = [sample.ended and parsers.accepts(request, sample.text) for request, sample in pairs]
        except parsers.MissingTool as missing:
            say(f"{kind} is not judged: {missing}")
            continue
        ended = sum(sample.ended for _, sample in pairs)
        refused = [
            {"prompt": request.prompt, "text": sample.text}
            for (request, sample), good in zip(pairs, accepted)
            if sample.ended and not good
        ]
        results[kind] = {
            "samples": len(pairs),
            "accepted": sum(accepted),
            "unfinished": len(pairs) - ended,
            "share": sum(accepted) / len(pairs),
            "share_of_finished": sum(accepted) / ended if ended else 0.0,
            "refused": refused[:5],
        }
        say(f"{kind}: {sum(accepted)} of {len(pairs)} accepted, {len(pairs) - ended} did not end")
    return results
