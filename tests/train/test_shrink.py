"""Smaller models: text whose pieces survive is cut and scored as before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers  # noqa: E402

from crossrank.errors import BadInput  # noqa: E402
from crossrank.train.shrink import drop_layers, trim_vocabulary  # noqa: E402
from crossrank.train.students.quiet import quiet  # noqa: E402
from crossrank.train.vocabulary import trimmed_tokenizer  # noqa: E402
from train.tiny import NOISE, TOPICS, write_model  # noqa: E402

LINES = [f"der {topic} Kühlschrank {noise} kühlt leise" for topic in TOPICS for noise in NOISE]
TEXTS = ["der rot Kühlschrank wort3", "leise", "Kühlschrank kühlt rot rot wort11"]


def trained(kind: str) -> Tokenizer:
    """A tokenizer of each kind, trained on a few lines."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    if kind == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=150, special_tokens=special, show_progress=False
        )
    elif kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=90, special_tokens=special, unk_token="[UNK]", show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=220, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


@pytest.mark.parametrize("kind", ["wordpiece", "unigram", "bpe"])
def test_text_whose_pieces_survive_is_cut_as_before(kind: str) -> None:
    tokenizer = trained(kind)
    whole = tokenizer.get_vocab_size()
    shorter, ids = trimmed_tokenizer(tokenizer.to_str(), TEXTS, whole)
    trimmed = Tokenizer.from_str(shorter)
    assert trimmed.get_vocab_size() == len(ids) < whole
    for text in TEXTS:
        before, after = tokenizer.encode(text, "leise"), trimmed.encode(text, "leise")
        assert after.tokens == before.tokens
        assert [ids[i] for i in after.ids] == before.ids
    assert trimmed.token_to_id("[SEP]") == ids.index(3)


@pytest.mark.parametrize("kind", ["wordpiece", "unigram", "bpe"])
def test_a_tight_size_keeps_the_frequent_pieces(kind: str) -> None:
    tokenizer = trained(kind)
    loose = len(trimmed_tokenizer(tokenizer.to_str(), TEXTS, 10_000)[1])
    often = ["rot leise"] * 50
    shorter, ids = trimmed_tokenizer(tokenizer.to_str(), [*often, *TEXTS], loose - 1)
    trimmed = Tokenizer.from_str(shorter)
    assert loose - 1 <= len(ids) < loose
    assert trimmed.encode("rot leise").tokens == tokenizer.encode("rot leise").tokens


def test_a_size_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadInput, match="at least"):
        trimmed_tokenizer(trained("wordpiece").to_str(), TEXTS, 3)
    broken = json.loads(trained("wordpiece").to_str())
    broken["model"]["vocab"]["extra"] = 10_000
    with pytest.raises(BadInput, match="gaps"):
        trimmed_tokenizer(json.dumps(broken), TEXTS, 100)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield write_model(tmp_path_factory.mktemp("tiny"), layers=4)


def classifier(folder: Path) -> tuple[object, object]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(0)
    with quiet():
        model = AutoModelForSequenceClassification.from_pretrained(str(folder), num_labels=1)
    return model.eval(), AutoTokenizer.from_pretrained(str(folder))


@torch.no_grad()
def scores(model, tokenizer) -> torch.Tensor:  # type: ignore[no-untyped-def]
    pairs = tokenizer(
        ["rot wort1", "kalt"], ["rot wort3", "warm wort5 kalt"], padding=True, return_tensors="pt"
    )
    return model(**pairs).logits


def test_a_trimmed_model_scores_as_before_and_loads_again(tiny: Path, tmp_path: Path) -> None:
    model, tokenizer = classifier(tiny)
    before = scores(model, tokenizer)
    smaller, ids = trim_vocabulary(model, tokenizer, ["rot kalt warm wort1 wort3 wort5"], 20)
    assert len(ids) == 12 == model.config.vocab_size  # type: ignore[attr-defined]
    assert torch.equal(scores(model, smaller), before)
    with quiet():
        model.save_pretrained(str(tmp_path))  # type: ignore[attr-defined]
        smaller.save_pretrained(str(tmp_path))
    torch.testing.assert_close(scores(*classifier(tmp_path)), before)


def test_layers_are_dropped_evenly_or_by_number(tiny: Path) -> None:
    model, tokenizer = classifier(tiny)
    stack = list(model.bert.encoder.layer)  # type: ignore[attr-defined]
    assert drop_layers(model, 2) == (1, 3)
    assert list(model.bert.encoder.layer) == [stack[1], stack[3]]  # type: ignore[attr-defined]
    assert model.config.num_hidden_layers == 2  # type: ignore[attr-defined]
    assert scores(model, tokenizer).isfinite().all()
    assert drop_layers(model, [0]) == (0,)
    with pytest.raises(BadInput, match="layers from 0 to 0"):
        drop_layers(model, [3])
