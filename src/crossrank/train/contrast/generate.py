"""The generator: a stream of groups over domains, languages and kinds, fixed by its seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from crossrank.errors import BadInput
from crossrank.train.contrast.domain import LANGUAGES, domain, domains
from crossrank.train.contrast.group import Group
from crossrank.train.contrast.lookup import lookup, lookup_kinds
from crossrank.train.contrast.matters import matter, matter_kinds


def generate(
    names: Sequence[str], languages: Sequence[str], count: int, seed: int
) -> Iterator[Group]:
    """`count` groups over the domains and languages named, evenly, the same for the same seed.

    Raises BadInput for a language other than de and en, NotFound for an unknown domain.
    """
    unknown = [name for name in languages if name not in LANGUAGES]
    if unknown or not names or not languages:
        raise BadInput(
            f"domains ({', '.join(domains())}) and languages (de, en) wanted, "
            f"got {list(names)} and {list(languages)}"
        )
    for i in range(count):
        rng = Random(f"{seed}/{i}")
        language = languages[i % len(languages)]
        yield one(names[(i // len(languages)) % len(names)], language, rng)


def one(name: str, language: str, rng: Random) -> Group:
    """One group of a domain; its kind is drawn among those the domain has material for."""
    chosen = domain(name, language)
    kinds = [*lookup_kinds(chosen), *matter_kinds(chosen)]
    weights = [2 if kind in _OFTEN else 1 for kind in kinds]
    kind = rng.choices(kinds, weights)[0]
    make = lookup if kind in lookup_kinds(chosen) else matter
    return make(chosen, kind, rng)


_OFTEN = {"negation", "conditions", "sentiment", "cause-effect", "how-what", "contradiction"}
