"""A training tells its loss and score as it goes, across processes, and the job's page draws them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from chatbot.learning.training_process import _told
from chatbot.neural.fit_report import FitProgress, Score
from chatbot.progress import CurvePoint, Share, as_json, from_json
from chatbot.records import jobs
from chatbot.records.database import Database
from chatbot.records.tables import Job
from chatbot.settings import Settings
from web.jobs import MOST_POINTS, JobContext, enqueue


def test_a_share_is_a_number_to_everybody_and_keeps_its_point_on_every_way() -> None:
    share = FitProgress(20, 80, 1, 1.23456, Score("accuracy", 71.5), 3.0).share
    assert share == 0.25
    assert f"{share:.0%}" == "25%"
    assert pickle.loads(pickle.dumps(share)).point == CurvePoint(20, 1.23456, 71.5)
    assert from_json(as_json(share)).point == CurvePoint(20, 1.2346, 71.5)
    assert as_json(0.5) == {"progress": 0.5}
    assert from_json({"progress": 0.5}).point is None
    assert "loss" not in as_json(Share(0.1, CurvePoint(1, float("nan"))))


def test_the_childs_lines_bring_the_curve_to_whoever_follows_it() -> None:
    heard: list[tuple[str, Any]] = []
    line = json.dumps({"stage": "classifier", **as_json(Share(0.5, CurvePoint(10, 0.7)))})
    assert _told(line, lambda stage, share: heard.append((stage, share))) == {}
    ((stage, share),) = heard
    assert (stage, share, share.point.loss) == ("train classifier", 0.5, 0.7)


def test_the_page_draws_the_curves_of_a_training_under_way_and_forgets_them_at_its_end(
    signed_in: Callable[..., FlaskClient], database: Database, settings: Settings
) -> None:
    job_id = enqueue(database, settings, "retrain", {})
    with database.write() as session:
        lease = jobs.claim(session, job_id, worker="w")
    assert lease is not None
    moments = iter(
        [*(at / 10_000 for at in range(3 * MOST_POINTS - 1)), 60.0]
    )  # two writes: the first and the last
    context = JobContext(database, settings, lease, {}, clock=lambda: next(moments))
    for step in range(3 * MOST_POINTS):
        score = 50.0 + step // 100 if step > 99 else None
        context.progress("train classifier", Share(step / 1000, CurvePoint(step, 5 / (step + 1), score)))
    with database.read() as session:
        stored = session.get_one(Job, job_id).result
    assert stored is not None
    points = stored["curves"]["train classifier"]
    assert 50 < len(points) <= MOST_POINTS
    assert points == sorted(points)
    client = signed_in("viewer")
    state = client.get(f"/admin/jobs/{job_id}/state").get_json()
    assert state["curves"].count("<svg") == 2
    assert "Training the classifier: training loss" in state["curves"]
    assert "<svg" in client.get(f"/admin/jobs/{job_id}").text.partition("data-curves")[2]
    with database.write() as session:
        jobs.finish(session, lease, result={"release_id": "r1", "status": "promoted", "reason": "x"})
    assert client.get(f"/admin/jobs/{job_id}/state").get_json()["curves"] == ""
