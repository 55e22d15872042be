"""Texts become numbers: the same ones everywhere, from the training texts alone, and back from JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from studio.data.base import IGNORED, DataError
from studio.data.text_rules import BYTE_PAIR, CHARACTERS, KINDS, SPACED, SPACED_LOWER, WORD_PIECES, WORDS
from studio.data.tokens import END, Tokenization, TokenRules, learn
from studio.data.tokens_kept import encode, following

TEXTS = ["A good film, a GOOD one!", "Bad. Don’t see it; don't.", "很好的电影 déjà vu", "zebra yak", ""]


def tokens(kind: str, text: str, **rules: int) -> list[str]:
    learned = learn(TokenRules(kind, **{"vocabulary": 400, "max_length": 20, **rules}), TEXTS)
    return learned.tokens(learned.apply([text])[0].tolist())


def test_words_are_lower_case_without_what_is_between_them() -> None:
    assert tokens(WORDS, "GOOD, (good) <b>film</b> DON’T") == ["good", "good", "[UNK]", "film", "[UNK]", "don't"]
    assert tokens(WORDS, "电影很好") == ["电", "影", "很", "好"]
    assert tokens(WORDS, "de\u0301ja\u0300") == ["déjà"]  # the accents as characters of their own


def test_characters_and_byte_pairs_keep_the_text() -> None:
    assert tokens(CHARACTERS, "Xood q") == ["[UNK]", "o", "o", "d", " ", "[UNK]"]
    assert "".join(tokens(BYTE_PAIR, "good zebra")) == "goodĠzebra"
    learned = learn(TokenRules(BYTE_PAIR, 400, 40), TEXTS)
    assert 1 not in learned.apply(["🙂 全新 \udc80"])  # every byte is known


def test_word_pieces_make_unknown_words_of_known_pieces() -> None:
    texts = ["low lower lowest slow slower", "newer new newest wide wider widest"] * 5
    learned = learn(TokenRules(WORD_PIECES, 40, 20), texts)
    assert learned.tokens(learned.apply(["Slowest, xlow"])[0].tolist()) == ["slow", "##est", "[UNK]", "[UNK]"]
    with pytest.raises(DataError, match=r"may have 10 tokens, but the different characters alone make \d\d"):
        learn(TokenRules(WORD_PIECES, 10, 20), texts)


def test_what_is_spaced_stays_as_it_is() -> None:
    assert tokens(SPACED, "A good, film,") == ["A", "[UNK] ", "film,"]
    assert tokens(SPACED_LOWER, "a GOOD film,") == ["a", "good", "film,"]
    learned = learn(TokenRules(SPACED, 40, 4), ["[PAD] good [UNK] [BEGIN]"])
    assert 0 not in learned.apply(["[PAD] good [UNK] [BEGIN]"])


@pytest.mark.parametrize("kind", [*KINDS, SPACED, SPACED_LOWER])
@pytest.mark.parametrize("signs", [False, True])
def test_what_follows_each_token(kind: str, signs: bool) -> None:
    learned = learn(TokenRules(kind, 400, 5, signs=signs), ["a b c d e f g", "a", "a b"])
    plain = learn(TokenRules(kind, 400, 9), ["a b c d e f g", "a", "a b"])
    texts = ["a b c d e f g", "a b", "a", ""]
    given, follows = learned.apply(texts), learned.following(texts)
    assert given.shape == follows.shape == (4, 5)
    for text, numbers, after in zip(texts, given.tolist(), follows.tolist(), strict=True):
        words = learned.tokens(learned._cut_at(30).apply([text])[0].tolist())
        assert learned.tokens(numbers) == words[:5]
        expected = [*words[1:], *(["[END]"] if signs else [])][:5] or ["[UNK]"]
        names = learned.names(400)
        assert [plain.size and learned._made.id_to_token(n).strip() for n in after if n != IGNORED] == [
            name.strip() for name in expected
        ]
        assert len(set(names)) == len(names) == 400
    assert (follows[1].tolist().count(END) == 1) or not signs
    assert Tokenization.from_json(learned.to_json()) == learned


@pytest.mark.parametrize("kind", KINDS)
def test_padding_is_0_at_the_end_and_long_texts_are_cut(kind: str) -> None:
    learned = learn(TokenRules(kind, 400, 4), TEXTS)
    numbers = learned.apply([*TEXTS, "good", "[PAD] [UNK]"])
    assert numbers.shape == (7, 4)
    assert numbers.dtype == "int64"
    assert numbers[4].tolist() == [1, 0, 0, 0]  # nothing at all is one unknown token
    for row in numbers.tolist():
        assert row == [*filter(None, row), *[0] * row.count(0)]
    assert 0 not in numbers[6][:2]  # what is written in a text is never padding
    assert numbers.max() < learned.size
    assert learned.apply([]).shape == (0, 4)


def test_frequent_words_come_first_and_ties_are_broken_by_text() -> None:
    learned = learn(TokenRules(WORDS, 8, 10), ["b a d c", "d e f g"])
    assert learned.size == 8
    vocabulary = json.loads(learned.tokenizer)["model"]["vocab"]
    assert vocabulary == {"[PAD]": 0, "[UNK]": 1, "d": 2, "a": 3, "b": 4, "c": 5, "e": 6, "f": 7}
    often = learn(TokenRules(WORDS, 8, 10, min_count=2), ["b a d c", "d e f g"])
    assert (often.size, often.apply(["a d"])[0][:3].tolist()) == (3, [1, 2, 0])


def test_the_last_numbers_are_kept_until_anything_differs() -> None:
    texts, rows = ["one two", "two three", "four"], np.array([0, 1])
    three, two = TokenRules(max_length=3), TokenRules(max_length=2)
    learned, numbers = encode(three, texts, rows)
    assert encode(three, texts, rows.copy())[1] is numbers
    assert numbers.tolist() == [[3, 2, 0], [2, 4, 0], [1, 0, 0]]
    assert encode(three, list(texts), rows)[1] is not numbers  # they could be written to
    assert encode(three, texts, np.array([0, 2]))[0] != learned
    assert encode(two, texts, rows)[1].shape == (3, 2)
    assert following(three, texts, rows) is following(three, texts, rows)
    assert following(two, texts, rows).tolist() == [[2, -100], [4, -100], [1, -100]]


def test_nothing_to_learn_is_told() -> None:
    with pytest.raises(DataError, match="No token occurs 3 times"):
        learn(TokenRules(min_count=3), ["every word once"])


def test_the_same_vocabulary_in_another_process_with_other_threads() -> None:
    code = (
        "from studio.data.tokens import *\n"
        "texts = [f'{i % 7} {i % 5}x word{i % 11} läßt {i}' for i in range(500)]\n"
        "import hashlib; print([hashlib.sha256(learn(TokenRules(k, 330, 9), texts).tokenizer.encode()).hexdigest()"
        " for k in KINDS])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": threads},
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(answers) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_comes_back_from_json_and_the_library_reads_it_alone(kind: str) -> None:
    import tokenizers

    learned = learn(TokenRules(kind, 400, 6), TEXTS)
    back = Tokenization.from_json(json.loads(json.dumps(learned.to_json())))
    assert back == learned
    alone = tokenizers.Tokenizer.from_str(learned.tokenizer)
    found = [encoding.ids for encoding in alone.encode_batch(TEXTS[:4])]
    assert back.apply(TEXTS[:4]).tolist() == found


def test_what_was_made_elsewhere_is_refused() -> None:
    learned = learn(TokenRules(WORDS, 20, 6), TEXTS)

    def changed(**parts: object) -> dict[str, object]:
        return {"kind": WORDS, "tokenizer": json.dumps({**json.loads(learned.tokenizer), **parts})}

    slow = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Removed", "invert": False}
    model = json.loads(learned.tokenizer)["model"]
    for data in (
        None,
        {"kind": "sentences", "tokenizer": learned.tokenizer},
        {"kind": CHARACTERS, "tokenizer": learned.tokenizer},
        {"kind": WORDS, "tokenizer": "{"},
        {"kind": WORDS, "tokenizer": 3},
        changed(pre_tokenizer=slow),
        changed(added_tokens=[{"id": 7, "content": "x"}]),
        changed(model={**model, "vocab": {"[PAD]": 0, "[UNK]": 5}}),
    ):
        with pytest.raises(DataError, match="cannot be read"):
            Tokenization.from_json(data)
    assert Tokenization.from_json(changed()).size == learned.size
