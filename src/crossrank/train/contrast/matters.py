"""Groups about what texts say of a matter: opinions, causes, tasks and terms, claims, doubles."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from crossrank.train.contrast.domain import Claim, Domain, Opinion, Topic, domain, neighbours
from crossrank.train.contrast.group import Group, group_of
from crossrank.train.contrast.items import Item, other_value, pick, sample_item
from crossrank.train.contrast.render import render, sentence

Candidates = list[tuple[str, int]]


def matter_kinds(domain: Domain) -> tuple[str, ...]:
    """The kinds of these groups that the domain has material for."""
    enough = {
        "sentiment": domain.opinions,
        "cause-effect": domain.chains,
        "how-what": domain.topics,
        "contradiction": domain.claims,
    }
    return (*(kind for kind, material in enough.items() if len(material) > 1), "duplicate")


def matter(domain: Domain, kind: str, rng: Random) -> Group:
    """A group of one of the kinds of `matter_kinds`."""
    make = {
        "sentiment": sentiment,
        "cause-effect": cause_effect,
        "how-what": how_what,
        "contradiction": contradiction,
        "duplicate": duplicate,
    }[kind]
    query, candidates = make(domain, rng)
    return group_of(domain, kind, query, candidates, rng)


def sentiment(domain: Domain, rng: Random) -> tuple[str, Candidates]:
    """Who praises or blames an aspect; mixed reviews 2, the other polarity or aspect 1."""
    kinds = list(range(len(domain.items)))
    rng.shuffle(kinds)
    opinions = list(domain.opinions)
    rng.shuffle(opinions)
    target, *others = opinions
    good = rng.random() < 0.5
    noun = pick(rng, domain.items[kinds[0]])
    asked = pick(rng, domain.wordings["opinion"]["ask_good" if good else "ask_bad"])
    query = (
        sentence(asked, aspect=target.aspect, item=noun)
        if asked[0] != "{"
        else (asked.format(aspect=target.aspect, item=noun))
    )

    def review(kind: int, *told: tuple[Opinion, bool]) -> str:
        return _review(domain, kind, told, rng)

    made = [(review(kinds[0], (target, good), (pick(rng, others), rng.random() < 0.5)), 3)]
    made.append((review(kinds[0], (target, good)), 3))
    made.append((review(kinds[0], (target, good), (target, not good)), 2))
    made += [(review(kinds[0], (target, not good), (pick(rng, others), good)), 1)]
    made += [(review(kinds[0], (target, not good)), 1)]
    made += [
        (review(kinds[0], (other, good), (pick(rng, others), good)), 1) for other in others[:2]
    ]
    made += [(review(kind, (target, good)), 0) for kind in kinds[1:3]]
    return query, [*made, (_far_review(domain, good, rng), 0)]


def cause_effect(domain: Domain, rng: Random) -> tuple[str, Candidates]:
    """Causes or effects of something; the other direction is 1, a mere connection 2."""
    cause, middle, effect = triple = pick(rng, domain.chains)
    words = domain.wordings["cause"]
    backward = rng.random() < 0.5
    query = pick(rng, words["ask_cause" if backward else "ask_effect"]).format(b=middle)
    right, wrong = (cause, effect) if backward else (effect, cause)

    def tell(first: str, then: str) -> str:
        """That `first` brings about `then`, or the reverse for a query after causes."""
        a, b = (then, first) if backward else (first, then)
        return _context(domain, sentence(pick(rng, words["tell"]), a=a, b=b), "cause", rng)

    made = [(tell(middle, right), 3) for _ in range(2)]
    made.append((tell(middle, right) + " " + tell(wrong, middle), 3))
    link = sentence(pick(rng, words["link"]), a=right, b=middle)
    made.append((_context(domain, link, "cause", rng), 2))
    made += [(tell(wrong, middle), 1) for _ in range(2)]
    made.append((tell(right, middle), 1))
    rest = [other for other in domain.chains if not set(other) & set(triple)]
    for _ in range(3):
        a, b = pick(rng, (pick(rng, rest)[:2], pick(rng, rest)[1:]))
        made.append((tell(b, a) if backward else tell(a, b), 0))
    return query[:1].upper() + query[1:] if query.endswith("?") else query, made


def how_what(domain: Domain, rng: Random) -> tuple[str, Candidates]:
    """How something is done, or what it is: the other kind of text about the same is 1."""
    topics = list(domain.topics)
    rng.shuffle(topics)
    topic, *others = topics
    words = domain.wordings["how"]
    task, steps = pick(rng, topic.tasks)
    how = rng.random() < 0.5
    made: Candidates = [(_define(domain, topic, rng), 1 if how else 3) for _ in range(2)]
    made += [(_instruct(domain, each, rng), 1) for each in topic.tasks if each[0] != task]
    made += [(_instruct(domain, (task, steps), rng), 3 if how else 1) for _ in range(2)]
    half = [*steps[: max(1, len(steps) // 2)]] if how else [*steps]
    made.append((f"{_define(domain, topic, rng)} {' '.join(half)}", 2))
    for other in others[:3]:
        made.append((_define(domain, other, rng), 0))
        made.append((_instruct(domain, pick(rng, other.tasks), rng), 0))
    query = (
        pick(rng, words["ask"]).format(task=task)
        if how
        else (pick(rng, words["ask_what"]).format(x=topic.term))
    )
    return (query.lower() if rng.random() < 0.4 else query), made


def contradiction(domain: Domain, rng: Random) -> tuple[str, Candidates]:
    """A statement: texts that say the same are 3, that say the contrary 1, others 0."""
    claims = list(domain.claims)
    rng.shuffle(claims)
    claim, *others = claims
    turned = rng.random() < 0.5 and len(claim.contrary) > 0
    same, contrary = (claim.contrary, claim.same) if turned else (claim.same, claim.contrary)
    asked = pick(rng, same)
    query = pick(rng, domain.wordings["claim"]["ask"]).format(s=asked)
    made = [
        (_context(domain, each, "claim", rng), 3)
        for each in same
        for _ in range(1 + (each != asked))
    ]
    made += [(_context(domain, each, "claim", rng), 1) for each in contrary for _ in range(2)]
    for other in others[:4]:
        made.append((_context(domain, pick(rng, _all(other)), "claim", rng), 0))
    return query, made


def duplicate(domain: Domain, rng: Random) -> tuple[str, Candidates]:
    """The same offer in other words is 3, with a fact less 2, with one fact changed 1."""
    item = sample_item(domain, rng, int(rng.random() * len(domain.items)))
    keys = [key for key in item.facts if key not in ("maker", "model")]
    rng.shuffle(keys)
    keys = ["maker", *(["model"] if domain.models else []), *keys[: 2 + int(rng.random() * 3)]]
    seed = rng.random()
    shown = render(domain, item, keys, Random(seed))
    query = pick(rng, domain.wordings["duplicate"]["ask"]).format(text=" ".join(shown.split()))
    made = [(render(domain, item, keys, Random(rng.random())), 3) for _ in range(2)]
    made.append((render(domain, item, keys[:-1], Random(rng.random())), 2))
    for i in range(4):
        key = pick(rng, keys)
        other = item.having(key, other_value(domain, key, item.facts[key], rng))
        made.append((render(domain, other, keys, Random(seed if i < 2 else rng.random())), 1))
    types = [t for t in range(len(domain.items)) if t != item.type]
    made += [(render(domain, Item(t, item.facts), keys, rng), 0) for t in types[:1]]
    for _ in range(2):
        far = sample_item(domain, rng, pick(rng, types))
        made.append((render(domain, far, keys, rng), 0))
    return query, made


def _review(domain: Domain, kind: int, told: Sequence[tuple[Opinion, bool]], rng: Random) -> str:
    words = domain.wordings["opinion"]
    opening = sentence(pick(rng, words["open"]), item=pick(rng, domain.items[kind]))
    said = []
    for opinion, good in told:
        own = opinion.good if good else opinion.bad
        if rng.random() < 0.55:
            said.append(pick(rng, own).rstrip(".") + ".")
        else:
            generic = pick(rng, words["good" if good else "bad"])
            said.append(sentence(generic, aspect=opinion.aspect))
    said = [text[:1].upper() + text[1:] for text in dict.fromkeys(said)]
    if rng.random() < 0.5:
        said.append(pick(rng, words["close"]))
    rng.shuffle(said)
    return " ".join([opening, *said])


def _far_review(near: Domain, good: bool, rng: Random) -> str:
    far = domain(pick(rng, neighbours(near.name)), near.language)
    kind = int(rng.random() * len(far.items))
    return _review(far, kind, [(pick(rng, far.opinions), good)], rng)


def _context(domain: Domain, said: str, part: str, rng: Random) -> str:
    """The sentence, with something beside it most of the time."""
    beside = [pick(rng, (*domain.wordings[part]["around"], *domain.filler))]
    if rng.random() < 0.3:
        beside.append(pick(rng, domain.filler))
    if rng.random() < 0.2:
        return said
    texts = [said, *dict.fromkeys(beside)]
    rng.shuffle(texts)
    return " ".join(texts)


def _define(domain: Domain, topic: Topic, rng: Random) -> str:
    opening = pick(rng, domain.wordings["how"]["open_what"]).format(x=topic.term)
    closing = pick(rng, domain.filler) if rng.random() < 0.5 else ""
    return " ".join(f"{opening} {pick(rng, topic.definitions)} {closing}".split())


def _instruct(domain: Domain, task: tuple[str, Sequence[str]], rng: Random) -> str:
    name, steps = task
    opening = sentence(pick(rng, domain.wordings["how"]["open"]), task=name)
    if rng.random() < 0.4:
        return opening + "".join(f"\n{i}. {step}" for i, step in enumerate(steps, 1))
    if rng.random() < 0.2:
        return " ".join(steps)
    return " ".join([opening, *steps])


def _all(claim: Claim) -> tuple[str, ...]:
    return (*claim.same, *claim.contrary)
