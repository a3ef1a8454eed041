"""The generator: a stream of groups over domains, languages and kinds, fixed by its seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from crossrank.errors import BadInput
from crossrank.train.contrast.domain import LANGUAGES, Domain, domain, domains
from crossrank.train.contrast.group import Group
from crossrank.train.contrast.items import pick
from crossrank.train.contrast.lookup import lookup, lookup_kinds
from crossrank.train.contrast.matters import matter, matter_kinds
from crossrank.train.contrast.mixing import mixed


def generate(
    names: Sequence[str], languages: Sequence[str], count: int, seed: int, mix: float = 0.0
) -> Iterator[Group]:
    """`count` groups over the domains and languages named, evenly, the same for the same seed.

    In a share `mix` of the groups, a domain takes facts from one of `names` drawn at random.
    Raises BadInput for a language other than de and en and a mix beyond 0 to 1, NotFound for an
    unknown domain.
    """
    if not 0 <= mix <= 1:
        raise BadInput(f"mix: a share from 0 to 1 wanted, got {mix}")
    unknown = [name for name in languages if name not in LANGUAGES]
    if unknown or not names or not languages:
        raise BadInput(
            f"domains ({', '.join(domains())}) and languages (de, en) wanted, "
            f"got {list(names)} and {list(languages)}"
        )
    for i in range(count):
        rng = Random(f"{seed}/{i}")
        language = languages[i % len(languages)]
        chosen = domain(names[(i // len(languages)) % len(names)], language)
        if mix and rng.random() < mix:  # without a mix nothing is drawn: a seed keeps its groups
            chosen = mixed(chosen, domain(pick(rng, names), language), rng)
        yield one(chosen, rng)


def one(chosen: Domain, rng: Random) -> Group:
    """One group of a domain; its kind is drawn among those the domain has material for."""
    kinds = [*lookup_kinds(chosen), *matter_kinds(chosen)]
    weights = [2 if kind in _OFTEN else 1 for kind in kinds]
    kind = rng.choices(kinds, weights)[0]
    make = lookup if kind in lookup_kinds(chosen) else matter
    return make(chosen, kind, rng)


_OFTEN = {"negation", "conditions", "sentiment", "cause-effect", "how-what", "contradiction"}
