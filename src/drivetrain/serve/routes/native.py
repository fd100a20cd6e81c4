"""``/v1/endpoints/{name}``: predict, feedback, and what the endpoint is."""

from __future__ import annotations

from collections.abc import Mapping

from drivetrain.core.records import Policy, Task
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.admission import labels, predict_call
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.instance import WORDS
from drivetrain.serve.openapi import native as described
from drivetrain.serve.request import Request
from drivetrain.serve.response import Response, ok
from drivetrain.serve.routes.route import Handler, Route
from drivetrain.serve.workers import Workers


def routes(planes: Mapping[str, Dataplane], settings: ServeSettings, workers: Workers) -> list[Route]:
    """Every route of the native protocol."""

    async def index(_: Request) -> Response:
        return ok({"endpoints": sorted(planes)})

    made = [Route("GET", "/v1/endpoints", index, "", "describe", described.INDEX)]
    for name, plane in planes.items():
        plan = plane.plan
        base = f"/v1/endpoints/{name}"
        made += [
            Route(
                "POST",
                f"{base}/predict",
                _predict(plane, settings),
                name,
                "predict",
                described.predict(plan, settings),
            ),
            Route(
                "POST",
                f"{base}/feedback",
                _feedback(plane, settings),
                name,
                "feedback",
                described.feedback(plan, settings),
            ),
            Route("GET", base, _describe(plane, workers), name, "describe", described.describe(plan)),
        ]
    return made


def _predict(plane: Dataplane, settings: ServeSettings) -> Handler:
    async def predict(request: Request) -> Response:
        return ok(await plane.predict(predict_call(request.body, plane.schema, settings)))

    return predict


def _feedback(plane: Dataplane, settings: ServeSettings) -> Handler:
    async def feedback(request: Request) -> Response:
        champion = plane.serving.champion
        task = None if champion is None else champion.record.task
        return ok({"accepted": await plane.feedback(labels(request.body, plane.plan.name, settings, task))})

    return feedback


def _told(policy: Policy) -> dict[str, object]:
    """A policy as callers are told of it."""
    arms = [{"name": arm.name, "version": arm.version or None, "share": arm.share} for arm in policy.arms]
    return {"mode": policy.mode, "experiment": policy.experiment, "unit": policy.unit, "arms": arms}


def _answer(task: Task) -> dict[str, object]:
    """What the numbers of an answer stand for, in their order."""
    return {"kind": task.kind, "classes": task.classes, "levels": task.levels}


def _describe(plane: Dataplane, workers: Workers) -> Handler:
    async def describe(_: Request) -> Response:
        plan, serving = plane.plan, plane.serving
        loaded = {"champion": serving.champion, "shadow": serving.shadow}
        return ok(
            {
                "name": plan.name,
                "model": plan.model,
                "description": plan.description,
                "ready": serving.champion is not None,
                "versions": {role: None if one is None else one.record.version for role, one in loaded.items()},
                "problems": serving.problems,
                "policy": None if serving.router is None else _told(serving.router.policy),
                "left_alone": plane.left_alone(),
                "workers": workers.versions(plan.name),
                "request": [
                    {
                        "name": field.name,
                        "type": field.type,
                        "expected": WORDS[field.type] + (" or null" if field.nullable else ""),
                        "description": field.description,
                    }
                    for field in plan.fields
                ],
                "answer": None if serving.champion is None else _answer(serving.champion.record.task),
                "features": [] if serving.champion is None else serving.champion.record.input_schema.names,
                "views": plane.lookup.views,
            }
        )

    return describe
