"""A serving process for test_following.py: follows a database and reports what it finds, one line a command.

Keyword search alone: what is tested is which passages are there, not how they are ranked.
"""

import json
import sys
from pathlib import Path

from chatbot.records.database import Database
from chatbot.retrieval.search import Searcher


def main(url: str, index: str) -> None:
    searcher = Searcher.open(Database(url), {}, index=Path(index))
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "save":
            searcher.save()
            answer = {}
        elif command["do"] == "search":  # before any refresh: what is stale in the index must not be shown
            hits = [hit for word in command["words"] for hit in searcher.search(word, lang="en", k=20)]
            answer = {"hits": [[hit.passage_id, hit.text] for hit in hits]}
        else:
            searcher.refresh()
            firsts = {}
            for word in command["words"]:
                hits = searcher.search(word, lang="en", k=1)
                firsts[word] = hits[0].passage_id if hits else None
            ids = sorted(searcher.part("en").passage_ids) if len(searcher) else []
            answer = {"passages": ids, "differences": len(searcher.check()), "firsts": firsts}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
