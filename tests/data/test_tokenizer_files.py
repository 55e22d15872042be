"""Tokenizers of others: what they cut stays as it is, and what could hang, grow or lie is refused with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from studio.data import DataChoice, DataError, MissingDataError
from studio.data import registry as sources
from studio.data.dataset import prepare
from studio.data.texts import tokenizer_files
from studio.data.texts.rules import FROM_FILE
from studio.data.texts.tokens import Tokenization, TokenRules, learn

TEXTS = ["the quick brown fox jumps over the lazy dog, isn't it?", "héllo 123 worlds", "quick worlds"]
SIGNS = ["[CLS]", "[SEP]", "[PAD]", "[UNK]"]  # in an order that is not ours


def made(kind: str) -> Tokenizer:
    model, trainer, before = {
        "byte pairs": (models.BPE(), trainers.BpeTrainer, pre_tokenizers.ByteLevel()),
        "word pieces": (
            models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer, pre_tokenizers.BertPreTokenizer()
        ),
        "words": (models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer, pre_tokenizers.WhitespaceSplit()),
        "unigram": (models.Unigram(), trainers.UnigramTrainer, pre_tokenizers.Metaspace()),
    }[kind]  # fmt: skip
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("''", '"')])
    tokenizer.pre_tokenizer = before
    unknown = {"unk_token": "[UNK]"} if kind == "unigram" else {}
    tokenizer.train_from_iterator(TEXTS * 5, trainer(special_tokens=SIGNS, show_progress=False, **unknown))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 1)]
    )
    return tokenizer


@pytest.fixture
def save(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "tokenizer.json"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("kind", ["byte pairs", "word pieces", "words", "unigram"])
def test_texts_are_cut_as_before_with_numbers_of_ours(kind: str, save: Callable[[str], Path]) -> None:
    theirs = made(kind)
    rules = TokenRules(FROM_FILE, 2_000, 80, made=tokenizer_files.read(save(theirs.to_str())))
    ours = learn(rules, [])
    for text in [*TEXTS, "the xyz 電 dog"]:
        numbers = ours.apply([text])[0].tolist()
        cut = theirs.encode(text, add_special_tokens=False).tokens
        expected = [token if token in theirs.get_vocab() else "[UNK]" for token in cut]
        assert ours.tokens(numbers) == expected
        assert numbers[: len(expected)].count(0) == 0
        assert numbers[len(expected) :].count(0) == 80 - len(expected)
    assert ours.apply(["[PAD] the"])[0][0] != 0  # what is written in a text is no padding
    assert Tokenization.from_json(json.loads(json.dumps(ours.to_json()))) == ours
    assert len(set(ours.names(2_000))) == 2_000


def broken(**changes: Any) -> str:
    return json.dumps({**json.loads(made("byte pairs").to_str()), **changes})


def model(kind: str = "byte pairs", **changes: Any) -> str:
    return broken(model={**json.loads(made(kind).to_str())["model"], **changes})


SPLIT = {"type": "Split", "behavior": "Isolated", "invert": False}
LONGER = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
HOSTILE = {
    "no JSON": ("{", "not a whole JSON file"),
    "a list": ("[]", "no “model”"),
    "deep": ("[" * 100_000, "deep"),
    "a slow pattern": (broken(pre_tokenizer={**SPLIT, "pattern": {"Regex": "(a*)*b"}}), r"“pattern” of its part Split"),
    "a slow pattern inside": (
        broken(pre_tokenizer={"type": "Sequence", "pretokenizers": [{**SPLIT, "pattern": {"Regex": "(a|a)*b"}}]}),
        r"\(a\|a\)\*b",
    ),
    "a pattern to replace": (
        broken(normalizer={"type": "Replace", "pattern": {"Regex": "(a*)*b"}, "content": ""}), "not let in",
    ),
    "a replacement that grows": (broken(normalizer=LONGER), "makes texts longer"),
    "nothing to replace": (broken(normalizer={**LONGER, "pattern": {"String": ""}}), "not let in"),
    "a part without its settings": (broken(normalizer={"type": "Replace"}), "do not fit together"),
    "a table of bytes": (
        broken(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA"}), "“Precompiled” is not among",
    ),
    "many parts": (
        broken(normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}] * 30}), "more than 20 parts"
    ),
    "an unknown model": (model(type="Neural"), "“Neural”"),
    "chance": (model(dropout=0.5), "leaves out pairs at random"),
    "a merge of nothing": (model(merges=[["x", "yy"]]), "no pair of its tokens"),
    "a number twice": (model("words", vocab={"a": 1, "b": 1}), "the same number"),
    "no numbers": (model("words", vocab={"a": "b"}), "no token with a number"),
    "endless words": (model("word pieces", max_input_chars_per_word=10**9), "words of up to 1000000000"),
    "no unknown piece": (model("unigram", unk_id=None), "which piece is the unknown one"),
    "no score": (model("unigram", vocab=[["a", "b"]]), "no piece with a score"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_let_in_is_told(name: str, save: Callable[[str], Path]) -> None:
    text, message = HOSTILE[name]
    path = save(text)
    with pytest.raises(DataError, match=message):
        tokenizer_files.read(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with open(path, "wb") as file:
        file.truncate(2**32)
    with pytest.raises(DataError, match="is larger than"):
        tokenizer_files.read(path)


def test_a_checkpoint_cannot_bring_what_a_file_cannot(save: Callable[[str], Path]) -> None:
    good = learn(TokenRules(FROM_FILE, 2_000, 9, made=tokenizer_files.read(save(made("byte pairs").to_str()))), [])
    description = json.loads(good.tokenizer)
    for changes in (
        {"pre_tokenizer": {**SPLIT, "pattern": {"Regex": "(a*)*b"}}},
        {"added_tokens": [{"id": 3, "content": "x"}]},
        {"model": {**description["model"], "dropout": 0.1}},
        {"padding": {**description["padding"], "strategy": {"Fixed": 10**12}}},
        {"truncation": {**description["truncation"], "max_length": -1}},
    ):
        with pytest.raises(DataError, match="not made by this program"):
            Tokenization.from_json({"kind": FROM_FILE, "tokenizer": json.dumps({**description, **changes})})


def test_a_source_takes_a_tokenizer_from_a_file(tmp_path: Path, save: Callable[[str], Path]) -> None:
    table = tmp_path / "t.csv"
    table.write_text("label,text\n" + "".join(f"{i % 2},the quick dog {i}\n" for i in range(40)))
    source: Any = sources.get("text-files")
    own = source(path=str(table), tokens=FROM_FILE, tokenizer_file=str(save(made("words").to_str())), max_length=8)
    dataset = prepare(DataChoice(own))
    (learned,) = dataset.learned
    assert learned.tokens(dataset.inputs[0][0].tolist())[:3] == ["the", "quick", "[UNK]"]
    assert own.loading_code is None  # a training script cannot read it yet
    with pytest.raises(DataError, match=r"the tokenizer in the file has \d+. Set the vocabulary"):
        prepare(DataChoice(source(path=str(table), tokens=FROM_FILE, tokenizer_file=own.tokenizer_file, vocabulary=9)))
    with pytest.raises(MissingDataError, match="No tokenizer was chosen"):
        source(path=str(table), tokens=FROM_FILE).load()
    with pytest.raises(ValueError, match="on a network"):
        source(tokenizer_file="//server/tokenizer.json")
