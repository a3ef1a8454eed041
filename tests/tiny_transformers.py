"""Tiny models of every supported family, randomly initialised, saved as transformers saves them.

Weights are drawn wide (0.3), so that a wrong mask, position or token type moves the logits far
beyond the tolerance of the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

POSITIONS = 48
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüß0123456789.,?!-+°"
_BASE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": 0.3,
}
_ROBERTA = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1}


def tiny_tokenizer(roberta: bool = False) -> Tokenizer:
    """Pieces of one letter; BERT's template with token types, or RoBERTa's without."""
    cls, sep, pad, unk = (
        ("<s>", "</s>", "<pad>", "<unk>") if roberta else ("[CLS]", "[SEP]", "[PAD]", "[UNK]")
    )
    first = [cls, pad, sep, unk] if roberta else [pad, unk, cls, sep]
    pieces = [*first, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary = {piece: at for at, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=unk))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(first)
    second = f"{sep} $B {sep}" if roberta else "$B:1 [SEP]:1"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} {second}",
        special_tokens=[(cls, vocabulary[cls]), (sep, vocabulary[sep])],
    )
    return tokenizer


def _config(family: str, labels: int) -> Any:
    import transformers as t

    size = tiny_tokenizer().get_vocab_size()
    plain = {**_BASE, "vocab_size": size, "max_position_embeddings": POSITIONS}
    shifted = {**plain, "max_position_embeddings": POSITIONS + 2}
    make: dict[str, Callable[[], Any]] = {
        "bert": lambda: t.BertConfig(**plain),
        "electra": lambda: t.ElectraConfig(embedding_size=16, **plain),
        "roberta": lambda: t.RobertaConfig(**{**shifted, **_ROBERTA}),
        "xlm-roberta": lambda: t.XLMRobertaConfig(**{**shifted, **_ROBERTA}),
        "distilbert": lambda: t.DistilBertConfig(
            vocab_size=size,
            dim=32,
            n_layers=2,
            n_heads=4,
            hidden_dim=64,
            max_position_embeddings=POSITIONS,
            initializer_range=0.3,
        ),
        "deberta-v2": lambda: t.DebertaV2Config(
            relative_attention=True,
            pos_att_type=["c2p", "p2c"],
            position_buckets=16,
            norm_rel_ebd="layer_norm",
            share_att_key=True,
            position_biased_input=False,
            type_vocab_size=0,
            pooler_hidden_size=32,
            **plain,
        ),
        "modernbert": lambda: t.ModernBertConfig(
            global_attn_every_n_layers=2,
            local_attention=8,
            classifier_pooling="mean",
            pad_token_id=0,
            bos_token_id=2,
            eos_token_id=3,
            cls_token_id=2,
            sep_token_id=3,
            **plain,
        ),
    }
    config = make[family]()
    config.num_labels = labels
    return config


FAMILIES = ("bert", "electra", "roberta", "xlm-roberta", "distilbert", "deberta-v2", "modernbert")


def save_tiny(folder: Path, family: str, labels: int = 1, *, classifier: bool = True) -> Path:
    """Writes a tiny model and its tokenizer to `folder`, as `save_pretrained` does."""
    import torch
    import transformers as t

    torch.manual_seed(len(family))
    config = _config(family, labels)
    auto = t.AutoModelForSequenceClassification if classifier else t.AutoModel
    model = auto.from_config(config).eval()
    bars = t.utils.logging.is_progress_bar_enabled()
    t.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    if bars:
        t.utils.logging.enable_progress_bar()
    _save_tokenizer(folder, "roberta" in family)
    return folder


def _save_tokenizer(folder: Path, roberta: bool) -> None:
    import transformers as t

    names = {"cls": 0, "pad": 1, "sep": 2, "unk": 3} if roberta else {}
    names = names or {"pad": 0, "unk": 1, "cls": 2, "sep": 3}
    tokenizer = tiny_tokenizer(roberta)
    special = {f"{name}_token": tokenizer.id_to_token(at) for name, at in names.items()}
    given = ["input_ids", "attention_mask"] + ([] if roberta else ["token_type_ids"])
    wrapped = t.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=POSITIONS, model_input_names=given, **special
    )
    wrapped.save_pretrained(folder)
