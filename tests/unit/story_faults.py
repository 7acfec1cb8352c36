"""Scripts with one fault each: what is changed in the good one, what the line says that is named, and what is said."""

import datetime

from stories import DROPPED, PANEL, STORY, VIEW, Change

CROWD = {f"extra-{number}": STORY["cast"]["leo"] for number in range(9)}

FAULTS: dict[str, tuple[tuple[Change, ...], str, str]] = {
    # keys and types
    "an unknown key": (((["titel"], "x"),), "titel:", "titel: unknown key; did you mean 'title'?"),
    "a missing title": (((["title"], DROPPED),), "cast:", "title: expected a value, but it is missing."),
    "a title of YAML's": (((["title"], True),), "title:", "title: expected a text, but got True: put yes, no, on, off"),
    "a number for a title": (((["title"], 1984),), "title:", "title: expected a text, but got 1984: put a text that"),
    "no pages": (((["pages"], []),), "pages:", "pages: expected at least 1 value, but got 0."),
    "no panels": (((["pages", 1, "panels"], []),), "panels: []", "page 2, panels: expected at least 1 value"),
    "a page that is none": (((["pages", 1], 3),), "- 3", "page 2: expected keys and values, but got 3."),
    "a language of words": (((["language"], "English"),), "language:", "language: expected a language such as en"),
    "a cast without a noun": (
        ((["cast", "leo", "noun"], DROPPED),),
        "leo:",
        "cast.leo: expected identity, or noun and",
    ),
    "both sources": (((["cast", "leo", "identity"], "x"),), "leo:", "cast.leo: expected either identity, or noun and"),
    "a name of two words": (
        ((["cast", "l o"], STORY["cast"]["leo"]),),
        "l o:",
        "cast.l o: expected a name of letters, digits, - and _",
    ),
    "a name of YAML's": (
        ((["cast", True], STORY["cast"]["leo"]),),
        "true:",
        "cast.True: expected a text, but got True: put yes, no, on, off, true and false in quotes.",
    ),
    "a number for a name": (((["cast", 7], STORY["cast"]["leo"]),), "7:", "cast.7: expected a text, but got 7: put"),
    "a strength beyond": (
        ((["cast", "leo", "strength"], 11),),
        "strength: 11",
        "cast.leo.strength: expected less than",
    ),
    "an unquoted anchor": (
        ((["cast", "mia", "anchor"], 1.1),),
        "anchor:",
        "cast.mia.anchor: expected a page and a panel",
    ),
    "a paper of no name": (
        ((["paper", "size"], "a5"),),
        "size: a5",
        "paper.size: expected 'a4', 'us-comic', 'square' or 'webtoon' or a list, but got 'a5'.",
    ),
    "a paper too small": (
        ((["paper", "size"], [100, 5]),),
        "- 5",
        "paper, size 2: expected greater than or equal to 20",
    ),
    "a colour of no name": (
        ((["paper", "background"], "wite"),),
        "background:",
        "expected a colour such as white or #ffd400",
    ),
    "small letters too large": (
        ((["paper", "lettering", "smallest"], 20),),
        "lettering:",
        "paper.lettering: smallest: expected at most size, 9",
    ),
    "a layout of a list": (
        ((["pages", 0, "layout"], [2, 1]),),
        "layout:",
        "page 1, layout: expected a text or keys and values, but got [2, 1].",
    ),
    "a row of no weight": (
        ((["pages", 0, "layout"], {"rows": [{"panels": [1, 1]}, {"panels": [0]}]}),),
        "- 0",
        "page 1, layout, row 2, panel 1: expected greater than 0, but got 0.",
    ),
    "an inset of no area": (
        ((["pages", 0, "layout"], {"rows": [{"panels": [1, 1]}], "insets": [{"box": [0.5, 0, 0.5, 1]}]}),),
        "- box:",
        "page 1, layout, inset 1: box: expected left, top, right and bottom of some area",
    ),
    "a person's look": (
        (((*PANEL, "people", 1, "phrase"), 3),),
        "phrase: 3",
        "page 1, panel 1, person 2, phrase: expected a text, but got 3: put a text",
    ),
    "a framing of no name": (
        (((*PANEL, "framing"), "near"),),
        "framing:",
        "page 1, panel 1, framing: expected 'wide', 'full', 'medium' or",
    ),
    "a negative seed": (
        (((*VIEW, "seed"), -1),),
        "seed:",
        "page 1, panel 2, seed: expected greater than or equal to 0",
    ),
    "template and pose": (
        (((*PANEL, "pose"), "pose.png"),),
        "- prompt: a {mia} and",
        "page 1, panel 1: pose: expected either",
    ),
    "a key of no panel": (
        (((*VIEW, "caption"), "x"),),
        "caption: x",
        "page 1, panel 2, caption: unknown key; did you mean 'captions'?",
    ),
    "a caption that is a number": (
        (((*VIEW, "captions"), [1984]),),
        "- 1984",
        "page 1, panel 2, caption 1: expected a text, or keys and values, but got 1984: put a text that looks like",
    ),
    "a date for a caption": (
        (((*VIEW, "captions"), [datetime.date(2001, 1, 1)]),),
        "- 2001-01-01",
        "page 1, panel 2, caption 1: expected a text, or keys and values, but got 2001-01-01: put a text that looks",
    ),
    "a prompt of no words": (
        (((*VIEW, "prompt"), " "),),
        "prompt: ' '",
        "page 1, panel 2, prompt: expected words, but got ' '.",
    ),
    "a sound of too many words": (
        (((*VIEW, "sounds"), ["Splash" * 11]),),
        "- SplashSplash",
        "page 1, panel 2, sound 1, text: expected at most 60 characters, but got 'SplashSplash",
    ),
    "a line of no words": (
        (((*PANEL, "dialogue", 0), {"mia": ""}),),
        "- mia: ''",
        "page 1, panel 1, dialogue 1, text: expected words, but got ''.",
    ),
    "a sound beyond": (
        (((*VIEW, "sounds"), [{"text": "Boom", "at": [0.5, 1.5]}]),),
        "- 1.5",
        "page 1, panel 2, sound 1, at 2: expected less",
    ),
    "a manner of no name": (
        (((*PANEL, "dialogue", 1, "how"), "sung"),),
        "how: sung",
        "page 1, panel 1, dialogue 2, how: expected 'speech'",
    ),
    "two speakers at once": (
        (((*PANEL, "dialogue", 0), {"mia": "Look!", "leo": "Look!"}),),
        "- mia: Look!",
        'page 1, panel 1, dialogue 1: expected one name with its words, such as {mia: "Hello!"}, and how, but got',
    ),
    "a line of YAML's": (
        (((*PANEL, "dialogue", 0), {"mia": False}),),
        "- mia: false",
        "expected a text, but got False",
    ),
    "narration by somebody": (
        (((*PANEL, "dialogue", 1, "how"), "narration"),),
        "- leo: Where?",
        "who: expected nobody with narration, but got leo",
    ),
    "a line without words": (
        (((*PANEL, "dialogue", 0), {"who": "mia"}),),
        "- who: mia",
        "text: expected a value, but it is",
    ),
    # names
    "somebody unknown": (
        (((*PANEL, "people", 0), "mai"), ((*PANEL, "prompt"), "a {leo}")),
        "- mai",
        "page 1, panel 1, person 1, who: expected a name of the cast, but got 'mai'; did you mean 'mia'?",
    ),
    "an unknown speaker": (
        (((*PANEL, "dialogue", 0), {"mai": "Look!"}),),
        "- mai:",
        "page 1, panel 1, dialogue 1, who: expected a name of the cast",
    ),
    "somebody twice": (
        (((*PANEL, "people"), ["mia", "leo", {"who": "mia"}]), ((*PANEL, "template"), "family-three")),
        "- who: mia",
        "page 1, panel 1, person 3, who: expected everybody once in a panel, but mia is person 1 too.",
    ),
    "a prompt with a stranger": (
        (((*PANEL, "prompt"), "a {mia} and a {zoe}"),),
        "{zoe}",
        "page 1, panel 1, prompt: expected people of this panel in braces, but got {zoe}; known are mia, leo.",
    ),
    "a prompt with somebody absent": (
        (((*VIEW, "prompt"), "a street with {mia}"),),
        "a street with {mia}",
        "page 1, panel 2, prompt: expected mia among the panel's people, since the prompt names them.",
    ),
    "a lone brace": (
        (((*VIEW, "prompt"), "a street {"),),
        "a street {",
        "page 1, panel 2, prompt: Expected braces in pairs",
    ),
    "an anchor that is not there": (
        ((["cast", "mia", "anchor"], "3.1"),),
        "anchor:",
        "cast.mia.anchor: expected a panel with mia in it, but got 3.1: there is none of that number; mia is",
    ),
    "an anchor without them": (
        ((["cast", "mia", "anchor"], "1.2"),),
        "anchor:",
        "but got 1.2: mia is not in it; mia is in 1.1, 2.1.",
    ),
    # files
    "a photo that is not there": (
        ((["cast", "leo", "photos"], ["leo.png", "no.png"]),),
        "- no.png",
        "cast.leo, photo 2: Expected a photo, but there is no",
    ),
    "a broken photo": (
        ((["cast", "leo", "photos"], "story.yaml"),),
        "photos: story.yaml",
        "cast.leo.photos: Expected a JPEG, PNG, WebP or HEIC",
    ),
    "no photos": (
        ((["cast", "leo", "photos"], []),),
        "photos: []",
        "cast.leo.photos: expected at least 1 value, but got 0.",
    ),
    "a photo of no name": (
        ((["cast", "leo", "photos"], ""),),
        "photos: ''",
        "cast.leo.photos: expected a file or a folder, but got an empty name.",
    ),
    "a noun of no words": (
        ((["cast", "leo", "noun"], "man!"),),
        "noun: man!",
        "cast.leo.noun: Expected a class noun of words",
    ),
    "no identity": (
        ((["cast", "leo"], {"identity": "leo.png"}),),
        "identity:",
        "cast.leo.identity: Expected a whole safetensors file",
    ),
    "an identity of no name": (
        ((["cast", "leo"], {"identity": ""}),),
        "identity: ''",
        "cast.leo.identity: expected a file or a folder, but got an empty name.",
    ),
    "an absent pose": (
        ((["pages", 1, "panels", 0, "pose"], "no.png"),),
        "pose:",
        "page 2, panel 1, pose: Expected a photo, but there is no",
    ),
    # places
    "an unknown template": (
        (((*PANEL, "template"), "couple-standin"),),
        "template:",
        "page 1, panel 1, template: Expected a template's name or the path of a .json file, but there is no template",
    ),
    "a template too small": (
        (((*PANEL, "template"), "single-portrait"),),
        "people:",
        "page 1, panel 1, people: expected at most 1, one for each place of single-portrait, but got 2: templates",
    ),
    "a place too far": (
        (((*PANEL, "people", 1, "place"), 2),),
        "place: 2",
        "page 1, panel 1, person 2, place: expected 0 to 1, the places of couple-standing, but got 2.",
    ),
    "a place for two": (
        (((*PANEL, "people"), [{"who": "mia", "place": 1}, {"place": 1, "who": "leo"}]),),
        "- place: 1",
        "page 1, panel 1, person 2, place: expected a place of their own, but mia stands in 1 too.",
    ),
    "a crowd without a template": (
        (
            (["cast"], {"mia": {"noun": "girl", "photos": "mia"}, "leo": STORY["cast"]["leo"]} | CROWD),
            ((*PANEL, "people"), list(CROWD)),
            ((*PANEL, "prompt"), "a crowd"),
            ((*PANEL, "template"), DROPPED),
        ),
        "people:",
        "page 1, panel 1, people: expected at most 8 without a template, but got 9: templates that fit are",
    ),
    "a place in no row": (
        ((["pages", 0, "panels", 2, "people"], [{"who": "leo", "place": 1}]),),
        "place: 1",
        "page 1, panel 3, person 1, place: expected 0 to 0, the places of a row of 1, but got 1.",
    ),
    # pages
    "a layout of no form": (
        ((["pages", 0, "layout"], "2x1"),),
        "layout: 2x1",
        'page 1, layout: expected rows such as "2/1/3"',
    ),
    "a layout of others": (
        ((["pages", 0, "layout"], "2/2"),),
        "layout: 2/2",
        "as many panels as the layout holds, 4 in 2/2",
    ),
    "margins without room": (
        ((["paper", "margin"], 100), (["paper", "size"], [100, 100])),
        "margin:",
        "paper.margin: expected less",
    ),
    # style
    "an unknown preset": (
        ((["style", "preset"], "tinny"),),
        "preset:",
        "style.preset: Expected the name of a preset or a .yaml",
    ),
    "an unknown scene key": (
        ((["style", "scene", "step"], 2),),
        "step: 2",
        "style.scene.step: unknown key; did you mean",
    ),
    "a scene key out of range": (
        ((["style", "scene", "steps"], 0),),
        "steps: 0",
        "style.scene.steps: expected greater than or equal to 1, but got 0.",
    ),
    "scene keys that contradict": (
        ((["style", "scene"], {"merge_step": 1, "style_strength": 5.0}),),
        "merge_step:",
        "style.scene.merge_step: expected either",
    ),
    "a scene key from elsewhere": (
        ((["style", "scene", "seed"], 3),),
        "seed: 3",
        "style.scene.seed: expected no seed here: it stands with a panel.",
    ),
    "an absent LoRA": (
        ((["style", "loras"], [{"source": "ink.safetensors"}]),),
        "source:",
        "style, LoRA 1, source: expected a file or folder",
    ),
    "an unknown font": (((["paper", "lettering", "font"], "No Such Family"),), "font:", "paper.lettering.font: "),
    "a character of no font": (
        (((*VIEW, "captions"), ["Later\U000f0000"]),),
        "Later",
        "page 1, panel 2, caption 1, text: ",
    ),
}
