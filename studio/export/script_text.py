"""The pieces of the training script that are the same for every run, but for what stands after a `$`.

Where a line looks as if it could be simpler, it follows the studio's own trainer, so that the weights come out equal.
"""

from studio.data.base import IGNORED
from studio.settings.losses import CLASSES, LABELS, NUMBERS, PLACES, STEPS

INTRODUCTION = '''
"""Trains $name as Training Studio $studio did.

    python train.py            # the whole run; the best weights go to weights.pt$also
    python train.py --steps 2  # a quick try

It needs $packages. On the same processor, with as many threads and the same versions,
its weights are those of the studio, bit for bit ($versions).
On a GPU the last digits can differ.
"""
'''

IMPORTS = (
    "import argparse",
    "import math",
    "from collections.abc import Iterator",
    "from dataclasses import dataclass",
    "from pathlib import Path",
    "import numpy as np",
    "import torch",
    "from torch import nn",
    "from torch.nn import functional",
)

BATCHES = '''
Batches = Iterator[tuple[torch.Tensor, torch.Tensor]]


@dataclass
class Split:
    """Some of the samples, in batches."""

    inputs: torch.Tensor  # all samples
$targets_field    rows: torch.Tensor  # which of them belong to the split
    size: int  # samples per batch
    steps: int | None  # at most so many batches; None for all

    def batches(self, order: torch.Generator | None = None) -> Batches:
        """$pairs Many batches are gathered at once, which is faster, and cut into views."""
        rows = (self.rows if order is None else self.shuffled(order)).split(self.size)[: self.steps]
        at_once = max(1, 2**20 // (self.inputs[0].numel() * self.size))
        for start in range(0, len(rows), at_once):
            some = torch.cat(rows[start : start + at_once])
            inputs = prepare(self.inputs[some]).split(self.size)
            yield from zip(inputs, $targets, strict=True)

$shuffled        return rows[:-1] if len(rows) > self.size > 1 and len(rows) % self.size == 1 else rows
$samples_of_epoch'''

# By whether each class is drawn equally often.
SHUFFLED = {
    False: '''
    def shuffled(self, order: torch.Generator) -> torch.Tensor:
        """The rows in a new order. A last batch of one sample is left out: batch norm cannot learn from it."""
        rows = self.rows[torch.randperm(len(self.rows), generator=order)]
''',
    True: '''
    def shuffled(self, order: torch.Generator) -> torch.Tensor:
        """As many rows as there are, each class drawn equally often. A last batch of one sample is left out."""
        labels = self.targets[self.rows].cpu()
        sizes = labels.unique(return_counts=True)[1]
        classes = torch.randint(len(sizes), (len(labels),), generator=order)
        places = (torch.rand(len(labels), dtype=torch.float64, generator=order) * sizes[classes]).long()
        rows = self.rows[labels.argsort(stable=True)[sizes.cumsum(0)[classes] - sizes[classes] + places]]
''',
}

_WEIGHT = f'''

def weight(targets: torch.Tensor) -> torch.Tensor:
    """How many samples they are, less the places without an answer, such as those behind the end of a text."""
    return (targets != {IGNORED}).sum().double() / targets[0].numel()
'''

# By kind of target, as in studio.training.tasks: how a batch is judged.
SCORES = {
    CLASSES: '''
def score(answers: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """How many answers (N, classes) are right."""
    return (answers.argmax(1) == targets).sum()
''',
    STEPS: '''
def score(answers: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The share of right answers (N, steps, classes) of each sample, summed up over the samples."""
    return (answers.argmax(2) == targets).sum() / targets[0].numel()
'''
    + _WEIGHT,
    PLACES: '''
def score(answers: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The share of right answers (N, classes, height, width) of each sample, summed up over the samples."""
    return (answers.argmax(1) == targets).sum() / targets[0].numel()
'''
    + _WEIGHT,
    LABELS: '''
def score(answers: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The share of labels that are told right, summed up over the samples."""
    return ((answers > 0) == (targets > 0.5)).float().mean(1).sum()
''',
    NUMBERS: '''
def score(answers: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The absolute error of the answers, summed up over the samples."""
    return (answers - targets).abs().flatten(1).mean(1).sum()
''',
}
SCALED_SCORE = '''
def scale_targets(targets: torch.Tensor) -> torch.Tensor:
    """Numbers to predict as the network answers them."""
    return (targets - torch.tensor(TARGET_SHIFT)$along) * torch.tensor(TARGET_SCALE)$along


def score(answers: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The absolute error of the answers in the units of the data, summed up over the samples."""
    scale = torch.tensor(TARGET_SCALE, device=answers.device)$along
    return (answers / scale - targets / scale).abs().flatten(1).mean(1).sum()
'''
LOSSES = {
    CLASSES: "functional.cross_entropy(answers, targets)",
    STEPS: "functional.cross_entropy(answers.flatten(0, 1), targets.flatten())",
    PLACES: "functional.cross_entropy(answers, targets)",
    LABELS: "functional.binary_cross_entropy_with_logits(answers, targets)",
    NUMBERS: "functional.mse_loss(answers, targets)",
}

# How much a batch counts in a mean: its samples, or what is real of them; a type, and how it is told.
SAMPLES = {"counts": "int", "weight": "len(targets)"}
WEIGHTS = {"counts": "torch.Tensor", "weight": "weight(targets)"}

RESTING = """\
    for path in FROZEN:  # no dropout in them, and the averages of batch norms stay
        if isinstance(part := attrgetter(path)(model), nn.Module):
            part.eval()
"""

FREEZING = """\
    for path in FROZEN:
        attrgetter(path)(model).requires_grad_(False)
"""

LOOP = '''
def means(figures: list[tuple[torch.Tensor, torch.Tensor, $counts]]) -> tuple[float, float]:
    """Mean loss and $metric over all samples. They are read only here, so that a GPU need not wait at each step."""
    losses, scores, sizes = zip(*figures, strict=True)
    weights = torch.tensor(sizes, dtype=torch.float64)
    loss = torch.stack(losses).cpu().double() @ weights
    return float(loss) / float(weights.sum()), float(torch.stack(scores).sum()) / float(weights.sum())


def train_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, data: Batches$taken
) -> tuple[float, float]:
    """Go through the training samples once; returns mean loss and $metric."""
    model.train()
$resting    figures = []
$per_epoch    for $counted:
$learn        figures.append((loss.detach(), score(answers.detach(), targets), $weight))
    return means(figures)


@torch.inference_mode()
def evaluate(model: nn.Module, data: Batches) -> tuple[float, float]:
    """Mean loss and $metric with the weights as they are."""
    model.eval()
    figures = []
    for inputs, targets in data:
        answers = model(inputs)
        loss = $loss
        figures.append((loss, score(answers, targets), $weight))
    return means(figures)


def train(
    model: nn.Module, optimizer: torch.optim.Optimizer, learning: Split, watching: Split, options: argparse.Namespace
) -> dict[str, torch.Tensor]:
    """Train epoch by epoch; keeps and returns the weights with the lowest validation loss."""
    order = torch.Generator().manual_seed(SEED)  # of its own, so that dropout does not change the order of the samples
    best_loss, best_weights = math.inf, {}
$remember    for epoch in range(1, options.epochs + 1):
        loss, $metric = train_epoch(model, optimizer, learning.batches(order)$passed)
        print(f"epoch {epoch}: loss {loss:.6f}, $metric {$metric:.4f}", end="")
        loss, $metric = evaluate(model, watching.batches())
        print(f"; validation: loss {loss:.6f}, $metric {$metric:.4f}", flush=True)
$see        if loss < best_loss:
            best_loss = loss
            best_weights = {name: tensor.cpu().clone() for name, tensor in model.state_dict().items()}
            torch.save(best_weights, options.output)
        if not math.isfinite(loss):
            print("The loss is no longer a number. Try a smaller LEARNING_RATE.")
            break
    return best_weights
'''

OPTIONS = '''
def parse_options() -> argparse.Namespace:
    """What stands on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
$data    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--steps", type=int, help="at most so many batches of each split, for a quick try")
    parser.add_argument("--device", default=DEVICE, help="cpu, cuda or mps")
    parser.add_argument("--output", type=Path, default=Path("weights.pt"), help="where the best weights go")
    return parser.parse_args()
'''

DATA = """\
    parser.add_argument("--data", type=Path, default=Path(DATA), help="where the files are now")
"""
DATA_DIR = """\
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="folder of the dataset's files")
"""

# By whether the input itself is to be predicted: how targets come to the batches.
TARGETS = {
    False: {
        "targets_field": "    targets: torch.Tensor\n",
        "pairs": "Inputs, prepared, and targets.",
        "targets": "self.targets[some].split(self.size)",
        "data": "torch.from_numpy(samples).to(device), $labels.to(device)",
        "given": "*data",
    },
    True: {
        "targets_field": "",
        "pairs": "Inputs, prepared, also as targets.",
        "targets": "inputs",
        "data": "torch.from_numpy(samples).to(device)",
        "given": "data",
    },
}

TOKENS = """\
    tokenizer = learn_tokens([texts[row] for row in train_rows.tolist()])  # the others are not to be known
    tokenizer.save(str(options.output.with_name("tokenizer.json")))  # who uses the weights needs it, too
    samples = tokenize(tokenizer, texts)
"""

STARTING_WEIGHTS = """\
    given = torch.load(STARTING_WEIGHTS, map_location="cpu", weights_only=True)["model"]
    own = model.state_dict()  # what has another name or size stays fresh
    model.load_state_dict({n: t for n, t in given.items() if n in own and own[n].shape == t.shape}, strict=False)
"""

PRETRAINED = '''
def read_pretrained() -> dict[str, dict[str, torch.Tensor]]:
    """What PRETRAINED names, by the parts. torchvision downloads it once, into torch's own cache."""
    return {path: get_model(name, weights=weights).state_dict() for path, (name, weights) in PRETRAINED.items()}


def use_pretrained(model: nn.Module, learned: dict[str, dict[str, torch.Tensor]]) -> None:
    """Put it into the parts, which are without the ends of those networks."""
    for path, tensors in learned.items():
        part = attrgetter(path)(model)
        part.load_state_dict({name: tensors[name] for name in part.state_dict()})
'''

LEARNED = """\
    learned = read_pretrained()
"""

STARTING_PRETRAINED = """\
    use_pretrained(model, learned)
"""

# By whether the test split is looked at when all is done.
TESTS = {
    False: {
        "task": "Train, and keep the weights of the best epoch. The test split is not looked at.",
        "test_rows": "_",
        "testing": "",
        "tested": '    print(f"the best weights are in {options.output}")\n',
    },
    True: {
        "task": "Train, keep the weights of the best epoch, and tell how they do on the test split.",
        "test_rows": "test_rows",
        "testing": "    testing = Split($given, test_rows, 4 * BATCH_SIZE, options.steps)\n",
        "tested": """\
    model.load_state_dict(best_weights)
    loss, $metric = evaluate(model, testing.batches())
    print(f"test: loss {loss:.6f}, $metric {$metric:.4f}, with the weights in {options.output}")
""",
    },
}

MAIN = '''
def main() -> None:
    """$task"""
    options = parse_options()
    torch.set_num_threads(THREADS)
    device = torch.device(options.device)

    $loaded, labels$starts = load_data($place)
    train_rows, validation_rows, $test_rows = map(torch.from_numpy, split_rows($divided))
$tokens    data = $data
    learning = Split($given, train_rows, BATCH_SIZE, options.steps)
    watching = Split($given, validation_rows, 4 * BATCH_SIZE, options.steps)  # nothing is kept for a backward pass
$testing
$learned    torch.manual_seed(SEED)  # from here on: first the weights are drawn, then what dropout leaves out
    model = $name()
$pretrained$starting_weights$frozen    model.to(device$memory_format)$memory_comment
    optimizer = torch.optim.$optimizer(
        $groups,
$arguments    )
$initial    best_weights = train(model, optimizer, learning, watching, options)
    if not best_weights:
        raise SystemExit("No epoch ended with a loss that is a number, so there are no weights to keep.")
$tested

if __name__ == "__main__":
    main()
'''
