"""Small CLIP tokenizers: the words they should know, and the rest in pieces."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Any, cast

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

from multiid.prompts import CLIP_WINDOW

__all__ = ["build_tokenizer", "mini_words"]

_BEGIN, _END = "<|startoftext|>", "<|endoftext|>"
_WORLD = """
man woman boy girl old red orange yellow green blue purple white black coat shirt dress beach garden snow night city
home forest desert mountains moon at the in a on female male child adult elder brown ginger crimson blonde pink grey
lilac crop spiky quiff mohawk tufts curly long bob ponytail bun pigtails braids porcelain peach honey bronze umber ebony
amber none round square dark stubble short full moustache oval heart
"""
_EVERYDAY = """
a an and the of in on at to by for with without from into onto over under above below behind before after beside
between near next around through up down left right here there this that these those is are was were be being been
has have had not no yes very some any all each both many few one two three four five six seven eight nine ten first
second last other another same i you he she it we they me him her us them my your his its our their who what where
person people child children kid baby family mother father mum dad son daughter brother sister aunt uncle
grandmother grandfather friend friends couple group crowd neighbour guest king queen doctor teacher cook nurse
sailor pirate witch wizard knight princess prince lady gentleman gentle guy
head face hair eye eyes nose mouth ear ears beard moustache glasses hand hands arm arms leg legs foot feet smile
standing stands stand sitting sits sit walking walks walk running runs run jumping dancing dance playing play
talking talk laughing laugh smiling smiles waving wave looking looks look holding holds hold wearing wears wear
having eating eat drinking drink reading read singing sing sleeping hugging hug together alone
clothes coat jacket shirt jumper sweater dress skirt trousers jeans suit tie hat cap scarf gloves boots shoes socks
belt bag watch ring crown uniform
red orange yellow green blue purple pink white black grey gray brown golden silver dark light bright pale colourful
big small large little tall short long thin fat round square young old new happy sad angry surprised kind funny
beautiful pretty nice good bad warm cold hot wet dry soft clean quiet busy empty full
beach sea ocean shore sand island lake river water boat ship garden park flower flowers tree trees grass leaf leaves
snow winter summer spring autumn ice rain wind cloud clouds sky sun sunny moon star stars night day morning evening
noon midnight sunset sunrise fog storm city town village street road bridge house home room kitchen window door wall
floor roof table chair sofa bed lamp picture book school shop office station forest wood woods desert cactus
mountain mountains hill hills rock rocks cave field farm castle space planet rocket
dog cat bird horse fish cow sheep bear mouse rabbit car bus bike train plane ball toy gift cake tea coffee bread
apple cup bottle plate phone camera guitar balloon candle fire
photo photograph portrait drawing drawn cartoon painting film scene style background foreground view close front
back side middle top bottom centre party birthday wedding holiday picnic market concert game
"""


def mini_words() -> list[str]:
    """Every word that the miniature's tokenizer reads whole: those of its world first, then everyday ones.

    The text encoders have learnt the ids that follow from this list: with another list they must learn anew.
    """
    return list(dict.fromkeys((_WORLD + _EVERYDAY).split()))


@cache
def _pairs(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """The pairs of symbols that make whole words of letters, in the order in which they are joined.

    Byte-pair encoding (arXiv 1508.07909) to the end: the most frequent pair is joined, the first in the alphabet of
    several, until every word is one symbol. (The trainer of `tokenizers` takes any of several, another each time.)
    """
    texts = [(*word[:-1], f"{word[-1]}</w>") for word in words]
    joined: list[tuple[str, str]] = []
    while counts := Counter(pair for text in texts for pair in pairwise(text)):
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        joined.append(pair)
        texts = [_joined(text, pair) for text in texts]
    return joined


def _joined(text: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """A word's symbols with that pair made one wherever it stands."""
    if pair[0] not in text:
        return text
    symbols: list[str] = []
    for symbol in text:
        # What has just been joined is longer than the pair's first symbol, so it is never joined again.
        if symbols and (symbols[-1], symbol) == pair:
            symbols[-1] += symbol
        else:
            symbols.append(symbol)
    return tuple(symbols)


def build_tokenizer(words: Iterable[str]) -> CLIPTokenizer:
    """A CLIP tokenizer that reads those words whole and any other text in pieces, down to bytes.

    The same words give the same ids.

    Args:
        words: of lower-case letters; CLIP reads everything in lower case.
    """
    merges = _pairs(tuple(words))
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    symbols = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges), _BEGIN, _END]
    vocabulary = {symbol: number for number, symbol in enumerate(dict.fromkeys(symbols))}
    return CLIPTokenizer(vocab=vocabulary, merges=cast(Any, merges), model_max_length=CLIP_WINDOW)
