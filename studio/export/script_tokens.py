"""The pieces of the training script for texts: a vocabulary learned as `studio.data.texts.tokens` learns it."""

from __future__ import annotations

from string import Template

from studio.data.texts.rules import BYTE_PAIR, CHARACTERS, SPACED, SPACED_LOWER, WORD_PIECES, WORDS
from studio.data.texts.tokens import ANY_CHARACTER, CHUNK, PADDING, UNKNOWN, WORD, TokenRules


def imports(rules: TokenRules) -> set[str]:
    """What the functions need."""
    expressions = "Regex, " if rules.kind in (WORDS, CHARACTERS) else ""
    return {
        "import json",
        f"from tokenizers import {expressions}Tokenizer, models, normalizers, pre_tokenizers, trainers",
    }


def constants(rules: TokenRules) -> list[str]:
    """Lines with the settings."""
    return [
        f"VOCABULARY = {rules.vocabulary}  # the most tokens; {PADDING} is padding, {UNKNOWN} any token not among them",
        f"MIN_COUNT = {rules.min_count}  # how often a token must occur in the training texts",
        f"MAX_LENGTH = {rules.max_length}  # tokens of a text; a longer one is cut at its end",
    ]


def functions(rules: TokenRules) -> list[str]:
    """Source of `learn_tokens` and `tokenize`."""
    pieces = _KINDS[rules.kind]
    padding, unknown = rules.special
    values = {"padding": padding, "unknown": unknown, "word": WORD, "character": ANY_CHARACTER}
    model = Template(pieces["model"].strip("\n")).substitute(values)
    letters = pieces.get("letters", "")
    learning = Template(_LEARN).substitute(
        pieces | values, model=model, letters=letters, pieces=", *letters" * bool(letters)
    )
    return [learning, Template(_TOKENIZE).substitute(padding=PADDING, unknown=UNKNOWN, chunk=f"{CHUNK:_}")]


_ALPHABET = """\
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),  # all bytes, so that any text can be written
"""

_KINDS = {
    WORDS: {
        "what": "words in lower case (a Chinese character is one)",
        "model": """
    tokenizer = Tokenizer(models.WordLevel(unk_token="$unknown"))
    lower = normalizers.BertNormalizer(strip_accents=False)  # also puts spaces around Chinese characters
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace("’", "'"), lower])
    word = Regex(r"$word")  # an apostrophe only within a word
    tokenizer.pre_tokenizer = pre_tokenizers.Split(word, "removed", invert=True)
""",
        "trainer": "WordLevelTrainer",
        "alphabet": "",
    },
    BYTE_PAIR: {
        "what": "byte pairs, which are pieces of words,",
        "model": """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
""",
        "trainer": "BpeTrainer",
        "alphabet": _ALPHABET,
    },
    WORD_PIECES: {
        "what": "pieces of words in lower case",
        "model": """
    tokenizer = Tokenizer(models.WordPiece(unk_token="$unknown"))
    lower = normalizers.BertNormalizer(strip_accents=False)  # also puts spaces around Chinese characters
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), lower])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
""",
        "trainer": "WordPieceTrainer",
        "alphabet": "",
        "letters": """\
    # First single characters alone: in an order of their own, equally frequent pieces come out the same each time.
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=0, show_progress=False))
    letters = sorted(tokenizer.get_vocab())
""",
    },
    SPACED: {
        "what": "words, which are between spaces,",
        "model": """
    tokenizer = Tokenizer(models.WordLevel(unk_token="$unknown"))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
""",
        "trainer": "WordLevelTrainer",
        "alphabet": "",
    },
    SPACED_LOWER: {
        "what": "words in lower case, which are between spaces,",
        "model": """
    tokenizer = Tokenizer(models.WordLevel(unk_token="$unknown"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
""",
        "trainer": "WordLevelTrainer",
        "alphabet": "",
    },
    CHARACTERS: {
        "what": "characters",
        "model": """
    tokenizer = Tokenizer(models.WordLevel(unk_token="$unknown"))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"$character"), "isolated")
""",
        "trainer": "WordLevelTrainer",
        "alphabet": "",
    },
}

_LEARN = '''
def learn_tokens(texts: list[str]) -> Tokenizer:
    """Learn $what from texts: the most frequent ones are the vocabulary."""
$model
$letters    trainer = trainers.$trainer(
        vocab_size=VOCABULARY,
        min_frequency=MIN_COUNT,
        special_tokens=["$padding", "$unknown"$pieces],
$alphabet        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.enable_truncation(MAX_LENGTH)
    tokenizer.enable_padding(pad_token="$padding", length=MAX_LENGTH)
    description = json.loads(tokenizer.to_str())
    description["added_tokens"] = []  # or “$padding” written in a text would become padding
    return Tokenizer.from_str(json.dumps(description))
'''

_TOKENIZE = '''
def tokenize(tokenizer: Tokenizer, texts: list[str]) -> np.ndarray:
    """The token numbers (M, MAX_LENGTH) of texts, the short ones filled with padding."""
    parts = []
    for start in range(0, len(texts), $chunk):  # encodings take far more memory than their numbers
        encodings = tokenizer.encode_batch_fast(texts[start : start + $chunk])
        parts.append(np.array([encoding.ids for encoding in encodings], np.int64))
    numbers = np.concatenate(parts)
    numbers[numbers[:, 0] == $padding, 0] = $unknown  # a text without any token is a single unknown one
    return numbers
'''
