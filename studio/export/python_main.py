"""The last part of exported source: what it does when it is run as a program."""

from __future__ import annotations

from typing import Any

from studio.compile.plan import Plan


def main_source(plan: Plan, preparation: dict[str, Any]) -> str:
    """Load the checkpoint, predict for the samples of a file, and print or save the answers."""
    inputs = preparation["inputs"]
    printed = _printing(plan, preparation)
    files = [_Given(given, number, len(inputs)) for number, given in enumerate(inputs)]
    words = ["CHECKPOINT", *(given.word for given in files), *([] if printed else ["ANSWERS.pt"])]
    explained = "; ".join(given.explained for given in files)
    lines = [
        'if __name__ == "__main__":',
        *(["    import csv"] if any({"columns", "categories"} & set(given) for given in inputs) else []),
        "    import sys",
        "",
        f"    if len(sys.argv) != {len(words) + 1}:",
        f'        sys.exit("Usage: python this_file.py {" ".join(words)}\\n{explained}")',
        "    model = load_model(sys.argv[1])",
        *(f"    {given.name} = {given.read}" for given in files),
        "    with torch.no_grad():",
        f"        answers = model({', '.join(given.name for given in files)})",
        *(printed or [f"    torch.save(answers, sys.argv[{len(words)}])"]),
    ]
    return "\n".join(lines)


class _Given:
    """One input of the program: a file on the command line.

    Args:
        given: what the preparation says of it.
        number: of the input, from 0.
        count: of all inputs.
    """

    def __init__(self, given: dict[str, Any], number: int, count: int) -> None:
        self.name = "samples" if count == 1 else f"samples_{number + 1}"
        prepare = "prepare" if count == 1 else f"prepare_{given['name']}"
        file = f"sys.argv[{number + 2}]"
        shape = ", ".join(["N", *map(str, given["dims"])])
        stem = "SAMPLES" if count == 1 else f"SAMPLES_{number + 1}"
        lines = f'open({file}, encoding="utf-8").read().splitlines()'
        if "tokens" in given:
            tokenizer = "load_tokenizer(sys.argv[1])" if count == 1 else f"load_tokenizer(sys.argv[1], {number})"
            self.word, self.explained = f"{stem}.txt", f"{stem}.txt holds a text on each line"
            self.read = f"{prepare}({lines}, {tokenizer})"
        elif "columns" in given or "categories" in given:
            self.word = f"{stem}.csv"
            self.explained = f"{stem}.csv has the names of the columns in its first line, and commas between cells"
            self.read = f'{prepare}(list(csv.DictReader(open({file}, encoding="utf-8-sig", newline=""))))'
        elif "characters" in given:
            length = given["dims"][0]
            self.word, self.explained = f"{stem}.txt", f"{stem}.txt holds {length} characters on each line"
            self.read = f"{prepare}({lines})"
        else:
            self.word = f"{stem}.pt"
            self.explained = f"{stem}.pt holds raw values ({shape}), written by torch.save"
            self.read = f"{prepare}(torch.load({file}, weights_only=True))"


def _printing(plan: Plan, preparation: dict[str, Any]) -> list[str]:
    """Lines that print an answer for each sample; none if the answers are too many to be read."""
    names = preparation["names"]
    whole = len(plan.outputs) == 1 and plan.specs[0].dims == (len(names),)
    if not whole or "target" in preparation or "places" in preparation:
        return []
    if preparation["task"] == "classification":
        return [
            "    for shares in answers.softmax(1):",
            '        print(f"{LABELS[int(shares.argmax())]}: {float(shares.max()):.1%}")',
        ]
    if preparation["task"] == "multi-label":
        return [
            "    for shares in answers.sigmoid().tolist():",
            '        print(", ".join(f"{name}: {share:.1%}" for name, share in zip(LABELS, shares)))',
        ]
    told = "restore(answers)" if "answers" in preparation else "answers"
    return [
        f"    for numbers in {'answers.softmax(1)' if preparation.get('shares') is True else told}.tolist():",
        '        print(", ".join(f"{name}: {number:g}" for name, number in zip(LABELS, numbers)))',
    ]
