"""Bodies of the chat API, version 1: what is accepted, and what the OpenAPI description says about the rest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask_openapi3 import FileStorage
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from chatbot.records.attachments import MOST_A_MESSAGE

MAX_ID = 2**63 - 1
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Id = Annotated[int, Field(ge=0, le=MAX_ID)]


class Body(BaseModel):
    """Types are taken as they come: 5 is no text. What this version does not know is left alone."""

    model_config = ConfigDict(strict=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def storable(cls, values: Any) -> Any:
        """JSON can hold half a surrogate pair and NUL; UTF-8 and PostgreSQL cannot."""
        if not isinstance(values, dict):
            return values
        return _storable(values)


class StartBody(Body):
    site: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="The site's key; without it the first site, `default`."
    )
    locale: (
        Annotated[str, StringConstraints(max_length=16, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$")] | None
    ) = Field(None, description="BCP 47 tag of the visitor's language.", examples=["en", "zh-CN"])
    identity: dict[str, Any] | None = Field(
        None,
        description='Who the visitor is, signed by the company\'s server: `{"jwt"}`, or `{"id", "hmac", "name"?, '
        '"email"?}`.',
    )
    details: dict[str, Any] | None = Field(
        None,
        description="What the site asks for before the chat, by field name.",
    )
    page: Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://")] | None = Field(
        None,
        description="Address of the page on which the visitor begins; what stands behind `?` or `#` is not kept.",
        examples=["https://shop.example/help/delivery"],
    )


class IdentifyBody(Body):
    identity: dict[str, Any] = Field(description="As when a conversation starts.")


class MessageBody(Body):
    text: str = Field(
        "",
        description="What the customer wrote; may be empty where files come with it.",
        examples=["Where is my order KC-204817?"],
    )
    files: list[Annotated[str, StringConstraints(max_length=40)]] = Field(
        default_factory=list, max_length=MOST_A_MESSAGE, description="Ids of files that were sent before."
    )
    client_message_id: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        None,
        description="The client's own id of this message: sent again, it returns the stored reply.",
        examples=["5f0c3c1e-8f0e-4d5c-9a53-2f8f3c9f1c11"],
    )


class FeedbackBody(Body):
    vote: Literal["up", "down"]
    comment: ShortText | None = None


class HandoverBody(Body):
    reason: ShortText | None = Field(None, description="In the visitor's own words.")


class CloseBody(Body):
    csat: Annotated[int, Field(ge=1, le=5)] | None = Field(None, description="How satisfied, 1 to 5.")
    comment: ShortText | None = None


class TypingBody(Body):
    typing: bool = Field(True, description="`false`: no longer.")


class ConversationPath(BaseModel):
    conversation_id: Annotated[str, StringConstraints(max_length=40)]


class TurnPath(ConversationPath):
    turn_id: Id


class FilePath(ConversationPath):
    file_id: Annotated[str, StringConstraints(max_length=40)]


class FileForm(BaseModel):
    file: FileStorage = Field(description="The file itself.")
    client_file_id: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        None, description="The client's own id of this file: sent again, it is kept once."
    )


class AfterQuery(BaseModel):
    after: Id = Field(0, description="Id of the last turn that is known already.")


class LookQuery(AfterQuery):
    shown: bool = Field(
        True,
        description="Whether the visitor sees what is fetched. `0`: it waits unread (a closed panel), so it "
        "does not count as seen, and an agent's reply still goes to him by e-mail. Ask once more without it, with "
        "`after` before the first unread turn, when he looks.",
    )


# --- answers ---------------------------------------------------------------------------------------------


class ErrorDetail(BaseModel):
    code: str
    message: str
    field: str | None = None
    value: Any = None
    remedy: str | None = None


class ErrorAnswer(BaseModel):
    error: ErrorDetail


class Started(BaseModel):
    id: str
    token: str = Field(description="Shown once. Goes into Authorization: Bearer, never into a URL.")
    state: str
    greeting: str


class SourceAnswer(BaseModel):
    title: str
    url: str
    quote: str


class ChoiceAnswer(BaseModel):
    title: str
    payload: str


class CardLinkAnswer(BaseModel):
    title: str
    url: str


class CardAnswer(BaseModel):
    title: str
    text: str
    image: str = Field(description="Address of a picture; empty where there is none.")
    alt: str = Field(description="What the picture shows, in words.")
    links: list[CardLinkAnswer]


class PartAnswer(BaseModel):
    text: str
    kind: str
    confidence: float
    intent: str | None
    sources: list[SourceAnswer]
    choices: list[ChoiceAnswer]
    cards: list[CardAnswer] = Field(description="Shown under the text, side by side.")


class ReplyAnswer(BaseModel):
    parts: list[PartAnswer]
    text: str
    kind: str
    suggestions: list[str]


class MessageAnswer(BaseModel):
    turn_id: int = Field(description="The reply's turn; the customer's own while a person is awaited.")
    message_id: int = Field(description="The turn of the message that was sent.")
    state: str
    reply: ReplyAnswer | None


class FileAnswer(BaseModel):
    id: str
    name: str
    type: str = Field(description="Media type, found in the content.")
    bytes: int


class TurnAnswer(BaseModel):
    id: int
    role: Literal["customer", "bot", "agent"]
    text: str
    created_at: str
    kind: str | None = None
    reply: ReplyAnswer | None = None
    reply_to: int | None = None
    client_message_id: str | None = None
    agent: str | None = None
    vote: str | None = None
    files: list[FileAnswer] | None = None
    cards: list[CardAnswer] | None = Field(
        None, description="Of a colleague's message; the bot's stand in its reply."
    )


class TurnsAnswer(BaseModel):
    state: str
    turns: list[TurnAnswer]
    more: bool = Field(description="Whether there are further turns: ask again after the last one.")


class StateAnswer(BaseModel):
    state: str


class TypingAnswer(BaseModel):
    typing: bool


class VoteAnswer(BaseModel):
    turn_id: int
    vote: str


def _storable(value: Any) -> Any:
    """The value with every text in it, however deep, as UTF-8 and PostgreSQL can hold it."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_storable(part) for part in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(part) for name, part in value.items()}
    return value
