"""What site generators and wikis write beside Markdown, which a reader of the site never sees: short codes, anchors of
headings, fences of notes, links between pages by name; and footnotes, which plain CommonMark has not.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_SHORT_CODE = re.compile(r"\{\{[<%].*?[%>]\}\}|\{%.*?%\}")  # Hugo, Jekyll and their like
_ANCHOR = re.compile(r"^(\s*#{1,6}\s.*?)\s*\{#[\w.:-]+\}\s*$")
_NOTE = re.compile(r"^\s*:::+\s*(?:[a-z]+\b\s*(?:\[(?P<title>[^\]]*)\])?)?\s*$")  # ":::tip[Good to know]"
_ALERT = re.compile(r"^(\s*>\s*)\[!\w+\][+-]?\s*")  # "> [!NOTE]"
_ADMONITION = re.compile(
    r'^(?:!!!|\?\?\?\+?)\s+\w+(?:\s+"(?P<title>[^"]*)")?\s*$'
)  # MkDocs; its text is indented
_WIKI_LINK = re.compile(r"(?<!!)\[\[(?:[^\]|\n]*\|)?([^\]|\n]+)\]\]")
_FOOTNOTE = re.compile(r"^\[\^([^\]\s]+)\]:\s*")
_MARK = re.compile(r"\[\^([^\]\s]+)\]")


def plain_marks(text: str) -> str:
    """The Markdown without them; a footnote's mark is "(1)", as raised numbers are told. Code stays as it is."""
    made: list[str] = []
    fence = ""
    noted = False  # within the indented text of a note
    for line in text.split("\n"):
        opened = _FENCE.match(line)
        if opened and (not fence or (opened[1].startswith(fence) and not line.strip().strip(fence[0]))):
            fence = "" if fence else opened[1]
        elif not fence:
            if found := _ADMONITION.match(line) or _NOTE.match(line):
                noted = line.startswith(("!", "?"))
                line = f"**{found['title']}**\n" if found["title"] else ""
            elif noted and line.startswith("    "):
                line = line[4:]
            elif line.strip():
                noted = False
            line = _unmarked(line)
        made.append(line)
    return "\n".join(made)


def _unmarked(line: str) -> str:
    plain = _SHORT_CODE.sub("", line)
    if plain != line:
        line = re.sub(r"(?<=\S) {2,}", " ", plain)
    line = _ANCHOR.sub(r"\1", _ALERT.sub(r"\1", line))
    return _MARK.sub(r" (\1)", _FOOTNOTE.sub(r"(\1) ", _WIKI_LINK.sub(r"\1", line)))
