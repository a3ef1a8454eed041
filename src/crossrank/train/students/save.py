"""Model directories as the libraries write them: weights as safetensors, never pickled."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crossrank.train.students.tokens import Tokeniser
from crossrank.types import Scale

if TYPE_CHECKING:
    from torch import nn

    from crossrank.train.config import Similarity

_SIGMOID: Final = "torch.nn.modules.activation.Sigmoid"
_IDENTITY: Final = "torch.nn.modules.linear.Identity"


def write_classifier(
    module: Any, tokens: Tokeniser, folder: Path, scale: Scale, cumulative: bool
) -> None:
    """A transformers directory; what the outputs mean is told to both libraries.

    To sentence-transformers by the activation in config.json, to crossrank by crossrank.json.
    cumulative: output k is the logit of `grade > k`.
    """
    from sentence_transformers import __version__ as version

    sigmoid = scale is Scale.LOGIT or cumulative
    activation = _SIGMOID if sigmoid else _IDENTITY
    module.config.sentence_transformers = {"activation_fn": activation, "version": version}
    _write_backbone(module, tokens, folder)
    own = {"kind": "cross-encoder", "scale": str(scale), "max_length": tokens.max_length}
    if cumulative:
        own["link"] = "cumulative"
    (folder / "crossrank.json").write_text(json.dumps(own, indent=2) + "\n", encoding="utf-8")


def write_bi_encoder(
    module: nn.Module, tokens: Tokeniser, similarity: Similarity, folder: Path
) -> None:
    """A sentence-transformers directory."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    with tempfile.TemporaryDirectory() as partial:
        _write_backbone(module, tokens, Path(partial))
        transformer = Transformer(partial, max_seq_length=tokens.max_length)
        pooling = Pooling(transformer.get_embedding_dimension(), similarity.pooling)
        model = SentenceTransformer(
            modules=[transformer, pooling, Normalize()], prompts=_prompts(similarity), device="cpu"
        )
        model.save_pretrained(str(folder), create_model_card=False)


def write_late_interaction(
    module: Any, tokens: Tokeniser, similarity: Similarity, folder: Path
) -> None:
    """A sentence-transformers multi-vector directory."""
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    weight = module.project.weight.detach().cpu().clone()
    with tempfile.TemporaryDirectory() as partial:
        _write_backbone(module.model, tokens, Path(partial))
        transformer = Transformer(
            partial, query_length=tokens.query_length, document_length=tokens.max_length
        )
        dense = Dense(
            weight.shape[1],
            weight.shape[0],
            bias=False,
            activation_function=None,
            init_weight=weight,
            module_input_name="token_embeddings",
        )
        normalise = Normalize(module_input_name="token_embeddings")
        model = MultiVectorEncoder(
            modules=[transformer, dense, MultiVectorMask(), normalise],
            prompts=_prompts(similarity),
            device="cpu",
        )
        model.save_pretrained(str(folder), create_model_card=False)


def _prompts(similarity: Similarity) -> dict[str, str]:
    return {"query": similarity.query_prompt, "document": similarity.document_prompt}


def _write_backbone(module: Any, tokens: Tokeniser, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    module.save_pretrained(str(folder), safe_serialization=True)
    tokens.tokenizer.save_pretrained(str(folder))
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["model_max_length"] = tokens.max_length
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
