"""Files that agents send: in by the same checks as visitors' (web/attachments.py), out with the next reply."""

from __future__ import annotations

from flask import Response, jsonify, make_response, request

from chatbot.errors import InputError
from chatbot.records.attachments import FROM_AGENT, attachment_json
from chatbot.records.conversation_search import read_conversation
from web.access import requires
from web.attachments import receive
from web.context import parts
from web.inbox.blueprint import blueprint


@blueprint.post("/conversations/<int:conversation_id>/files")
@requires("agent")
def upload(conversation_id: int) -> Response:
    """One file; its id goes with the next reply. One that no reply speaks of is erased after a day."""
    given = request.files.get("file")
    if given is None:
        raise InputError("No file came", field="file", remedy="Choose one")
    client_id = request.form.get("client_file_id", "")[:80]
    if not client_id:
        raise InputError("The file has no id", field="client_file_id", remedy="Send one of your own")
    with parts().database.read() as records:
        read_conversation(records, conversation_id)
    row = receive(
        parts().database,
        parts().settings.data,
        conversation_id,
        given,
        client_file_id=FROM_AGENT + client_id,
    )
    return make_response(jsonify(attachment_json(row)), 201)
