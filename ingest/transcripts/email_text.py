"""What a person wrote, out of an e-mail or a rich-text message: no markup, no quoted mail below, no device line."""

from __future__ import annotations

import html
import re

_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^>]*>", re.IGNORECASE)
_ITEM = re.compile(r"<li\b[^>]*>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(style|script|head|blockquote)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_QUOTE = re.compile(
    r"^\s*(?:On .{5,120} wrote:|-{2,}\s*(?:Original|Forwarded) [Mm]essage\s*-{2,}|_{10,}\s*$|Van: .*@.*|From: .*@.*"
    r"|##- Please type your reply above this line -##|在.{5,60}写道[:：]|-+\s*原始邮件\s*-+|发件人[:：].*)\s*$",
    re.MULTILINE,
)
_DEVICE = re.compile(
    r"^\s*(?:Sent from my .{2,40}|Get Outlook for .{2,20}|Sent via .{2,40}|发自我的.{2,20}|从.{2,20}发送)\s*$",
    re.MULTILINE,
)
_QUOTED_LINES = re.compile(r"(?:^\s*>.*\n?)+", re.MULTILINE)
_LOOKS_LIKE_MARKUP = re.compile(
    r"</?(?:p|br|div|span|a|b|i|ul|ol|li|strong|em|table|img)\b[^>]*>", re.IGNORECASE
)


def from_html(text: str) -> str:
    """The readable text of an HTML fragment, a line a block."""
    text = _HIDDEN.sub("\n", text)
    text = _ITEM.sub("- ", _BREAK.sub("\n", text))
    return html.unescape(_TAG.sub("", text)).replace("\xa0", " ").strip()


def own_words(text: str) -> str:
    """The message without markup, without the mail it answers, and without "Sent from my phone"."""
    if "<" in text and _LOOKS_LIKE_MARKUP.search(text):
        text = from_html(text)
    quote = _QUOTE.search(text)
    if quote and text[: quote.start()].strip():
        text = text[: quote.start()]
    if "\n>" in text or text.startswith(">"):
        text = _QUOTED_LINES.sub("", text)
    return _DEVICE.sub("", text).strip()
