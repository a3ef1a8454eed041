"""German and English words that turn a meaning round, state a bound or name a maker."""

from __future__ import annotations

from typing import Final

from crossrank.text.language import NEGATIONS, word_set

NEGATIVE: Final = NEGATIONS | word_set(
    """
    keinesfalls keineswegs fehlt fehlen fehlte fehlten fehlend fehlende fehlendes fehlender
    vergeblich verzichtet verzichten ungeeignet untauglich abgeraten ausgeschlossen entfällt
    entfallen unzulässig verboten ausser nein
    weggelassen entfernt gestrichen verzichtbar
    keinerlei keines untersagt
    prohibited zero cannot removed omitted dropped lack lacks lacking lacked vain
    unsuitable unsuited
    missing absent excluded excluding neither except anything
    """
)
"""Words that negate their clause; two of them affirm it (`does not do without`)."""

NEGATIVE_PHRASES: Final = (
    "out of the question",
    "nicht in frage",
    "advise against",
    "leave out",
    "leaves out",
    "free of",
    "free from",
)
"""Word sequences that count as one negative word, whatever is in them."""

NO_NEGATION: Final = (
    "not only",
    "nicht nur",
    "no extra",
    "no additional",
    "no doubt",
    "no problem",
    "ohne aufpreis",
    "ohne mehrkosten",
    "ohne weiteres",
    "ohne zweifel",
    "kein problem",
)
"""Word sequences with a negative word that negate nothing."""

FREE_OF: Final = ("frei", "freie", "freien", "freies", "freier", "-free", "los", "lose")
"""Endings of words that mean `without`: alkoholfrei, fragrance-free."""

FREE_FROM: Final = word_set(
    """
    gluten sugar lactose dairy fat alcohol caffeine fragrance perfume nut meat bpa paraben smoke
    tax duty interest wheat soy egg salt oil rust lead latex nickel aluminum aluminium sulfate
    silicone plastic accident
    """
)
"""English nouns before `free` that say what there is none of."""

FIT: Final = word_set(
    """
    geeignet geeignete geeigneter geeignetes eignet eignen gedacht zugelassen empfohlen bestimmt
    verwendung nutzung einsatz verwendbar nutzbar
    verfügt verfügen besitzt besitzen enthält enthalten vorhanden dabei gehört gehören dazu
    ausgestattet vorgesehen serienmässig benötigt gesucht angeboten angebot suche suchen brauche
    suchen gewählt
    kompatibel passend passt compatible fits fit
    chosen choose suitable suited suits intended approved recommended meant made designed use used
    equipped fitted comes come included available supplied supply need needs offers offered
    looking wanted
    """
)
"""Words of `suitable for` and `equipped with`: no content of their own."""

SUITED: Final = word_set(
    "geeignet geeignete geeigneter geeignetes ungeeignet "
    "suitable suited intended approved unsuitable"
)
"""Words of `suitable for` that may begin a condition."""

OPENERS: Final = word_set("mit ohne inklusive inkl einschliesslich with without including incl")
"""Words that open a feature of the thing, and so a clause of their own."""

LEADING: Final = word_set("nach gemäss laut zum von ab bis according to of from by dated at")
"""Prepositions that begin another statement after `und`, `and`."""

PURPOSE: Final = word_set("für for")

ALSO: Final = word_set("und sowie oder and plus or dazu")

AT_LEAST: Final = word_set(
    """
    mindestens mind min minimum minimal wenigstens ab über grösser mehr länger höher schwerer
    least from over above more longer greater exceeding
    """
)
AT_MOST: Final = word_set(
    """
    höchstens max maximal maximum bis unter weniger kleiner kürzer leichter
    most under below less up shorter cheaper fewer within
    """
)
LATER: Final = word_set("nach seit neuer jünger since after newer")
EARLIER: Final = word_set("vor älter spätestens before until older")
"""Bounds of dates."""

MORE: Final = word_set("more mehr höher länger grösser above later später neuer newer")
LESS: Final = word_set("less weniger niedriger kürzer kleiner below earlier früher älter older")
"""Bounds after a value: `or more`, `oder weniger`."""

BETWEEN: Final = word_set("zwischen between")
AROUND: Final = word_set("rund etwa circa ca ungefähr about around approximately roughly")

MAKER: Final = word_set(
    "marke hersteller firma anbieter brand manufacturer maker supplier provider hause haus house "
    "vendor produzent lieferant"
)
MADE: Final = word_set(
    "gebaut hergestellt gefertigt produziert stammt vertrieben verkauft herausgegeben verlegt "
    "made built manufactured produced sold offered published issued run"
)
"""Verbs that make a name after `von`, `by` that of a maker."""

NO_MAKER: Final = word_set(
    "hand handarbeit privat private privatperson experten fachleuten profis meistern menschen "
    "maschine maschinen experts professionals people craftsmen"
)
"""Capitalised words after `gefertigt von`, `sold by` that name nobody."""

BY: Final = word_set("von by from vom")
MODEL: Final = word_set("modell typ bezeichnung model type called artikel baureihe")

STATING: Final = (
    word_set(
        """
    nach gemäss entsprechend laut geprüft norm stand vom am dem zum preis preise zu von im der die
    das aus veröffentlicht mit einem einer einen als
    to according tested compliant standard dated as of published at a price on the an with for für
    """
    )
    | MODEL
    | MAKER
)
"""Words that lead to a value and mean nothing without it."""

SOFT: Final = word_set(
    """
    gern gerne liebsten möglichst möglich idealerweise bevorzugt vorzugsweise wünschenswert
    preferably ideally possible nice
    """
)
"""Words of a wish that is no must."""

OTHER_THING: Final = word_set(
    """
    separat passende passender passendes separately
    schwestermodell vorgänger vorgängers nachfolger dagegen hingegen anders gegensatz ähnliches
    ähnliche ähnlicher verwechseln zubehör alternativ
    contrast unlike sister predecessor successor similar instead accessories confused whereas
    """
)
"""Words of a sentence about another thing than the one the text is about."""

ONLY: Final = word_set("only nur nimmt take statt")
REFERS: Final = word_set("modell model das die der the gibt get sold")
"""Words with which a sentence points to a model; another one's name makes it about that one."""

FOR_THAT: Final = word_set("get gibt")
"""Words that name another model in a sentence of its own: `For 99 euros you can get the …`."""

RELATIVE: Final = word_set("der die das dem den that which")
VERB_LAST: Final = word_set("hat haben verfügt besitzt eignet kostet ist enthält bietet misst")

PRICE: Final = word_set(
    "preis preise kosten kostet zahlt verlangt rechnung price pay bill "
    "ask charge prices cost costs budget euro teuer günstig günstiger cheap"
)

_MONTH_NAMES: Final = """
januar jänner january jan|februar feber february feb|märz march mrz mar|april apr|mai may
juni june jun|juli july jul|august aug|september sept sep|oktober october okt oct
november nov|dezember december dez dec
"""
WAS: Final = word_set("was statt uvp früher vorher bisher rrp originally instead")
"""Words before a price that holds no more."""

MEASURES: Final = {
    word: names
    for words, names in (
        ("hoch hohe hoher hohes high tall", ("höhe", "height")),
        ("breit breite breiter breites wide", ("breite", "width")),
        ("tief tiefe tiefer tiefes deep", ("tiefe", "depth")),
        ("lang lange langer langes long", ("länge", "length")),
        ("schwer schwere wiegt heavy weighs", ("gewicht", "weight")),
        ("bj built constructed", ("baujahr", "built")),
        ("ez", ("erstzulassung",)),
        ("fasst holds", ("volumen", "inhalt", "volume", "capacity")),
    )
    for word in words.split()
}
"""What words of a measure are the names of: `180 cm hoch` states a height."""

MONTHS: Final = {
    name: number
    for number, names in enumerate(_MONTH_NAMES.strip().replace("\n", "|").split("|"), start=1)
    for name in names.split()
}
"""Months by their folded names and abbreviations: 1 to 12."""

ASKING: Final = word_set(
    """
    was wie wieviel wieviele wann wem wen wessen welche welcher welches welchen welchem
    what how when which whom whose
    """
)
"""Words that ask after knowledge wherever they stand in a question: `mit wem`, `für welche Art`."""

KNOWING: Final = ASKING | word_set(
    """
    warum wieso weshalb wozu woher wodurch wovon why does did is are was were can could should
    would will kann können darf soll muss ist sind hat haben stimmt wer wo who where if wenn falls
    """
)
"""Words that begin a question after knowledge, not after a thing."""

REASONS: Final = word_set("wie warum wieso weshalb was wann how what why when")
"""Question words that never begin a request for a thing."""

TOPICS: Final = word_set(
    """
    lob ärger kritik beschwerden beschwerde bewertung bewertungen erfahrung erfahrungen
    erfahrungsbericht ursache ursachen folgen folge auslöser gründe grund auswirkungen wirkung
    anleitung anleitungen tipps tipp definition bedeutung unterschied schritt beleg
    praise trouble criticism complaints complaint review reviews experience cause causes effects
    consequences reasons reason instructions guide tips meaning difference step evidence true
    """
)
"""Words of queries after opinions, causes, instructions and evidence, not after a thing."""

REQUEST: Final = word_set(
    """
    suche suchen gesucht brauche brauchen benötige benötigen benötigt verkauft führt liefert bietet
    finde bekomme kaufe kaufen bestellen zeig zeige zeigen empfehlen empfehlung angeboten angebot
    looking need want wanted find buy order show sells offers offered offer fits recommend get
    """
)
REQUESTS: Final = (
    "gibt es",
    "wer hat",
    "who has",
    "is there",
    "are there",
    "do you have",
    "habt ihr",
    "haben sie",
    "führen sie",
)
"""Words and word sequences with which somebody asks for a thing."""

FINITE: Final = word_set(
    """
    ist sind war waren wird werden wurde wurden hat haben hatte kann können darf dürfen muss müssen
    soll sollen lässt lassen gilt gelten macht führt bedeutet gehört heisst
    fehlt fehlen
    is are was were has have had can could may must should will would does do did causes cause
    lack lacks increases decreases
    """
)
"""Verbs of statements and of questions after knowledge."""
