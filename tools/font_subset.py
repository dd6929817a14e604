"""Cut Noto Sans CJK SC down to the characters that our documents need.

Documents (PDF) must carry their own Chinese font: a server has none, and a full one is 16 MB.
Kept: GB 2312 (all 7,445 characters of the standard), Latin, Greek, punctuation, arrows, currency
signs and full-width forms. The result is a static-weight WOFF2 file of about 1.4 MB.

    python tools/font_subset.py [/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc]

The source comes from the Debian package fonts-noto-cjk (SIL Open Font Licence 1.1).
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection

SOURCE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
TARGET = Path(__file__).resolve().parent.parent / "static" / "fonts" / "noto-sans-sc-gb2312.woff2"
# Characters outside GB 2312 that product, place and personal names need (昇腾 first of all).
EXTRA_CHARACTERS = (
    "昇喆堃垚炘祎彧珺瑀淏囍镕翀燊玥烜禛璟垚犇骉旸曌芃嫚啰晞鋆瑄堉赟囧宬瑢琇瑭赪谞崚硚滘沄洺玙粿"
)
EXTRA_RANGES = (
    (0x20, 0x7F),
    (0xA0, 0x180),  # Latin-1 and Latin Extended-A
    (0x370, 0x400),  # Greek, for units
    (0x2010, 0x2070),  # dashes, quotes, per mille
    (0x2070, 0x20D0),  # super- and subscripts, currency signs
    (0x2100, 0x2250),  # letter-like signs, arrows, operators
    (0x2460, 0x2474),  # circled figures
    (0x25A0, 0x2600),  # shapes used as markers
    (0x3000, 0x3040),  # CJK punctuation
    (0xFF01, 0xFF5F),  # full-width forms
)


def gb2312_characters() -> set[int]:
    """Return the code points of GB 2312, read from Python's own codec."""
    found = set()
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes((high, low)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return found


def wanted_characters() -> set[int]:
    """Return every code point that the cut font keeps if the source has it."""
    wanted = gb2312_characters() | {ord(character) for character in EXTRA_CHARACTERS}
    for start, end in EXTRA_RANGES:
        wanted.update(range(start, end))
    return wanted


def main() -> None:
    """Write the cut font and say how many characters and bytes it has."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE
    collection = TTCollection(str(source))
    font = next(
        item for item in collection.fonts if item["name"].getDebugName(1) == "Noto Sans CJK SC"
    )
    options = subset.Options(
        flavor="woff2",
        layout_features=["kern", "tnum", "palt"],
        hinting=False,
        desubroutinize=True,
        notdef_outline=True,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
    )
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted_characters())
    cutter.subset(font)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    font["head"].modified = font["head"].created  # the same source gives the same bytes
    font.recalcTimestamp = False
    subset.save_font(font, str(TARGET), options)
    print(f"{TARGET.name}: {len(font.getBestCmap())} characters, {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
