"""Files of a conversation: in from the visitor, out to him alone; agents have web/inbox/files.py and web/admin."""

from __future__ import annotations

from flask import Response, jsonify, make_response
from flask_limiter.util import get_remote_address
from flask_openapi3 import Tag

from chatbot.records.attachments import attachment_json, find_attachment
from web.api.guards import TOKEN, message_rate, visitor_blueprint
from web.api.models import ConversationPath, FileAnswer, FileForm, FilePath
from web.attachments import AttachmentFiles, receive
from web.context import parts
from web.limits import limiter
from web.visitors import caller, visitor_key

UPLOAD_RATE = "120 per hour"  # files from one address

api = visitor_blueprint(
    "files",
    __name__,
    tag=Tag(name="files", description="Files that visitors and colleagues send with their messages."),
)


@api.post(
    "/conversations/<conversation_id>/files",
    responses={201: FileAnswer},
    security=TOKEN,
    summary="Upload a file",
)
@limiter.limit(UPLOAD_RATE, key_func=get_remote_address)
@limiter.limit(message_rate, key_func=visitor_key)
def upload(path: ConversationPath, form: FileForm) -> Response:
    """Send its id with the next message; a file that no message speaks of is erased after a day. What it may be and
    how large, the site decides; the type is read from the content."""
    by = caller()
    row = receive(
        parts().database,
        parts().settings.data,
        by.conversation_id,
        form.file,
        client_file_id=form.client_file_id,
    )
    return make_response(jsonify(attachment_json(row)), 201)


@api.get(
    "/conversations/<conversation_id>/files/<file_id>",
    responses={
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    },
    security=TOKEN,
    summary="Download a file",
)
def download(path: FilePath) -> Response:
    """Always as a download, under the type that its content has."""
    with parts().database.read() as session:
        row = find_attachment(session, path.file_id, conversation_id=caller().conversation_id)
    return AttachmentFiles(parts().settings.data).download(row)
