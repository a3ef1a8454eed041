"""Templates read off tokenizers: joined by us is equal to encoded by them, for every kind."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, processors

from crossrank.errors import ModelError
from crossrank.models.template import pair_template, single_template
from tiny_models import PROMPTED
from tiny_transformers import tiny_tokenizer

TEXTS = st.text(st.sampled_from("abc äß.-☃"), max_size=12)


def _prompted() -> Tokenizer:
    content = json.loads(tiny_tokenizer().to_str())
    ids = content["model"]["vocab"]
    names = ("[CLS]", "[SEP]", "q", "##,", "p")
    special = {name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in names}
    content["post_processor"] = PROMPTED | {"special_tokens": special}
    return Tokenizer.from_str(json.dumps(content))


def _with(processor: object) -> Tokenizer:
    tokenizer = tiny_tokenizer()
    tokenizer.post_processor = processor
    return tokenizer


def _template(pair: str) -> processors.TemplateProcessing:
    return processors.TemplateProcessing(
        single="[CLS] $A", pair=pair, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )


TOKENIZERS = {
    "template": tiny_tokenizer(),
    "roberta template": tiny_tokenizer(roberta=True),
    "prompts among the special tokens": _prompted(),
    "bert": _with(processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))),
    "roberta": _with(processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2))),
    "bytes": _with(processors.ByteLevel()),
    "sequence": _with(
        processors.Sequence([processors.ByteLevel(), _template("[CLS] $A [SEP] $B:1 [SEP]:1")])
    ),
    "second text first": _with(_template("[CLS] $B [SEP]:1 $A:1")),
}


@pytest.mark.parametrize("name", TOKENIZERS)
@given(query=TEXTS, document=TEXTS)
def test_joined_is_what_the_tokenizer_makes(name: str, query: str, document: str) -> None:
    tokenizer = TOKENIZERS[name]
    parts = [
        np.array(tokenizer.encode(text, add_special_tokens=False).ids, np.int32)
        for text in (query, document)
    ]
    template = pair_template(tokenizer)
    ids, types = template.join(*parts)
    whole = tokenizer.encode(query, document)
    assert (ids.tolist(), types.tolist()) == (whole.ids, whole.type_ids)
    assert template.specials == tokenizer.num_special_tokens_to_add(True)
    ids, types = single_template(tokenizer).join(parts[0])
    alone = tokenizer.encode(query)
    assert (ids.tolist(), types.tolist()) == (alone.ids, alone.type_ids)


def test_a_tokenizer_that_reads_nothing_of_the_probe_is_refused() -> None:
    deaf = Tokenizer(models.BPE())  # no vocabulary at all
    with pytest.raises(ModelError, match=r"joins every pair in the same way wanted, this one"):
        pair_template(deaf)
