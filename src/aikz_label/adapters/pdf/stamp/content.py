"""What a page's content leaves open at its end, so that a stamp drawn after it starts from a clean state.

Real content is unbalanced: it saves the graphics state and never restores it, restores more than it saved, ends inside a
text object, in a layer that is switched off, or in the middle of a string. The operators that matter are found in one pass
that skips strings, names, comments and the data of images; nothing else is understood, and nothing is believed.
"""

from __future__ import annotations

import re

from aikz_label.values import dataclass

_DELIMITED = rb"\x00\t\n\f\r ()<>\[\]{}/%"
_ENDS = rb"(?![^" + _DELIMITED + rb"])"
# Whatever is none of the operators that matter, as much of it as there is; then text objects and saved states that hold
# nothing else. They are passed over at once.
_PLAIN = (
    rb"(?:[^/%(<qQBE]++|/[^" + _DELIMITED + rb"]*+|%[^\r\n]*+|\((?:[^()\\]++|\\.)*+\)"
    rb"|<(?:<|[0-9A-Fa-f\x00\t\n\f\r ]*+>)|(?:[qQ]|B(?:I|T|MC|DC)|E(?:T|MC))(?=[^"
    + _DELIMITED
    + rb"])"
    rb"|B(?!I|T|MC|DC)|E(?!T|MC))++"
)
_BEGINS = rb"(?<![^" + _DELIMITED + rb"])"
_TEXT = _BEGINS + rb"BT(?=[" + _DELIMITED + rb"])(?:" + _PLAIN + rb")?" + _BEGINS + rb"ET" + _ENDS
_STATE = (
    _BEGINS
    + rb"q(?=["
    + _DELIMITED
    + rb"])(?:"
    + _PLAIN
    + rb"|"
    + _TEXT
    + rb")*+"
    + _BEGINS
    + rb"Q"
    + _ENDS
)
_TOKEN = re.compile(
    rb"(?:" + _PLAIN + rb"|" + _TEXT + rb"|" + _STATE + rb")++"
    rb"|(\(|<|[qQ]|BI|BT|ET|BMC|BDC|EMC)",
    re.DOTALL,
)
_REGULAR = re.compile(rb"[^" + _DELIMITED + rb"]")
_STRING = re.compile(rb"\\.|[()]", re.DOTALL)
_SPACE = rb"[\x00\t\n\f\r ]"
_WORD = rb"[^#" + _DELIMITED + rb"]++"
_SAID = re.compile(
    _SPACE + rb"*/(" + _WORD + rb")" + _SPACE + rb"*"
    rb"(/?" + _WORD + rb"|\[[^][()<>%]*\]|<<[^()<>%]*>>)"
)
_IMAGE_DATA = re.compile(_SPACE + rb"+ID[\t\n\f\r ]")
_IMAGE_END = re.compile(_SPACE + rb"+EI" + _ENDS)
_SPELLED = {
    b"Width": b"W",
    b"Height": b"H",
    b"BitsPerComponent": b"BPC",
    b"ColorSpace": b"CS",
    b"Filter": b"F",
    b"ImageMask": b"IM",
}
_COLOURS = {
    b"/G": 1,
    b"/RGB": 3,
    b"/CMYK": 4,
    b"/DeviceGray": 1,
    b"/DeviceRGB": 3,
    b"/DeviceCMYK": 4,
}
_DEPTHS = {b"1", b"2", b"4", b"8", b"16"}
_HEX = re.compile(rb"[0-9A-Fa-f\t\n\r ]*>")
_BASE85 = re.compile(rb"[!-uz\t\n\r ]*~>")
_TEXTS = {
    b"/AHx": _HEX,
    b"/ASCIIHexDecode": _HEX,
    b"/A85": _BASE85,
    b"/ASCII85Decode": _BASE85,
}
_NOTHING = re.compile(
    rb"(?:[\x00\t\n\f\r ]|%[^\r\n]*|(?<![^"
    + _DELIMITED
    + rb"])(?:Q|EMC|ET)(?![^"
    + _DELIMITED
    + rb"]))*"
)
_CLOSES = {b"Q": b"q", b"ET": b"BT", b"EMC": b"BMC"}
_CLOSED_BY = {b"q": b"Q", b"BT": b"ET", b"BMC": b"EMC"}
_MAX_OPEN = 2000  # more of them open at once than any drawing program nests


@dataclass(frozen=True, slots=True)
class Closing:
    """What to put around a page's content so that what follows starts from the page's first state.

    Attributes:
        before: Operators that go before the content.
        after: Operators that go after it.
    """

    before: bytes
    after: bytes


class Tangled(ValueError):
    """Nothing can be drawn after this content that would look alike everywhere."""


def closing(contents: bytes) -> Closing:
    """Find out what a page's content leaves open.

    Args:
        contents: Its streams, decoded and joined by line ends.

    Raises:
        Tangled: It restores a state that was never saved and paints after that, where some viewers stop and others go on;
            it has an image whose end some see elsewhere than others; or more is open than can be closed.
    """
    walk = _Walk(contents)
    walk.run()
    strays = len(walk.strays)
    if strays and not _NOTHING.fullmatch(contents, walk.strays[0]):
        raise Tangled
    # what is restored too often at the very end takes the states that are saved for it here
    closers = [_CLOSED_BY[one] for one in reversed(walk.open)]
    after = b"".join(one + b"\n" for one in [walk.rest, *closers, b"Q"] if one)
    return Closing(b"q\n" * (1 + strays), after)


class _Walk:
    """One pass over the content.

    Attributes:
        open: What is open, outermost first.
        strays: Where the graphics state is restored that was never saved.
        rest: What ends the string in which the content stops.
    """

    def __init__(self, contents: bytes) -> None:
        self.contents = contents
        self.open: list[bytes] = []
        self.strays: list[int] = []
        self.rest = b""

    def run(self) -> None:
        """Go through all of it."""
        contents, at = self.contents, 0
        while True:
            for found in _TOKEN.finditer(contents, at):
                name, start, at = found[1], found.start(), found.end()
                if name is None or (start and _REGULAR.match(contents, start - 1)):
                    continue
                if name in b"(<" or name == b"BI":
                    at = self._beyond(name, at)
                    break  # the search goes on behind it
                self._operator(name, start)
            else:
                return

    def _beyond(self, name: bytes, at: int) -> int:
        """The end of what has to be looked at closely."""
        if name == b"(":
            return self._string(at)
        return self._hex(at) if name == b"<" else self._image(at)

    def _operator(self, name: bytes, start: int) -> None:
        if name in _CLOSES:
            self._close(_CLOSES[name], start)
            return
        self.open.append(b"BMC" if name == b"BDC" else name)
        if len(self.open) > _MAX_OPEN:
            raise Tangled

    def _close(self, name: bytes, start: int) -> None:
        for index in range(len(self.open) - 1, -1, -1):
            if self.open[index] == name:
                del self.open[index]
                return
        if name == b"q":
            self.strays.append(start)
            if len(self.strays) > _MAX_OPEN:
                raise Tangled

    def _string(self, at: int) -> int:
        """A string with strings in it, or without an end."""
        depth = 1
        for found in _STRING.finditer(self.contents, at):
            if found[0] == b"(":
                depth += 1
            elif found[0] == b")":
                depth -= 1
                if not depth:
                    return found.end()
        self.rest = b")" * min(depth, _MAX_OPEN)
        return len(self.contents)

    def _hex(self, at: int) -> int:
        stop = self.contents.find(b">", at)
        if stop < 0:
            self.rest = b">"
            return len(self.contents)
        return stop + 1

    def _image(self, at: int) -> int:
        """The end of an image in the content.

        Some viewers find it by what the image says of itself, others by the letters behind it. Where these do not agree,
        what is drawn after the image would be part of it for some.
        """
        said: dict[bytes, bytes] = {}
        while found := _SAID.match(self.contents, at):
            key, at = _SPELLED.get(found[1], found[1]), found.end()
            if key in said:
                raise Tangled
            said[key] = found[2]
        start = _IMAGE_DATA.match(self.contents, at)
        end = _image_end(self.contents, start.end(), said) if start else -1
        after = _IMAGE_END.match(self.contents, end) if end >= 0 else None
        if start is None or after is None or _IMAGE_END.search(self.contents, start.end(), end):
            raise Tangled
        return after.end()


def _image_end(contents: bytes, at: int, said: dict[bytes, bytes]) -> int:
    """Where the data of an image end that start at an offset; -1 where that cannot be told."""
    coded = said.get(b"F")
    if coded is not None:
        text = _TEXTS.get(coded.strip(b"[] \t\r\n"))
        found = text.match(contents, at) if text else None
        return found.end() if found else -1
    sides = [said.get(side, b"") for side in (b"W", b"H")]
    if any(not side.isdigit() or len(side) > 6 for side in sides):
        return -1
    if said.get(b"IM") == b"true":
        bits = 1 if b"CS" not in said and said.get(b"BPC", b"1") == b"1" else 0
    else:
        depth = said.get(b"BPC", b"")
        bits = _COLOURS.get(said.get(b"CS", b""), 0) * (int(depth) if depth in _DEPTHS else 0)
    wide, high = map(int, sides)
    return at + (wide * bits + 7) // 8 * high if bits else -1
