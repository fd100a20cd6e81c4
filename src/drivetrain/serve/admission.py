"""The native protocol's bodies: decoded, checked, and made into calls and labels."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from drivetrain.core.clock import Micros, micros_of, now
from drivetrain.core.errors import RequestError, UsageError
from drivetrain.core.ids import new_id
from drivetrain.core.records import Feedback, Task
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.call import Call
from drivetrain.serve.instance import InstanceSchema, show
from drivetrain.serve.label import Said, told
from drivetrain.serve.refusal import Malformed, TooLarge

_ID_LENGTH = 200
_LAST_ROW = 1 << 31


class _PredictBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    instances: list[msgspec.Raw]
    request_id: str = ""
    at: str | list[str] | None = None


class _LabelBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    label: Said
    request_id: str = ""
    row: int = 0
    entity: str = ""
    at: str | None = None


class _FeedbackBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    feedback: list[_LabelBody]


_decode_predict = msgspec.json.Decoder(_PredictBody).decode
_decode_feedback = msgspec.json.Decoder(_FeedbackBody).decode


def predict_call(body: bytes, schema: InstanceSchema, settings: ServeSettings) -> Call:
    """The call of ``{"instances": […], "request_id"?, "at"?}``.

    Raises:
        RequestError: The body does not fit; the message names the field, what was found and what was expected.
    """
    started = time.perf_counter_ns()
    try:
        asked = _decode_predict(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error, '{"instances": [{…}]}') from None
    raws = asked.instances
    count = len(raws)
    check_rows(count, settings, "instances")
    rows = (
        [schema.decode(raws[0], "instances[0]")]
        if count == 1
        else [schema.decode(raw, f"instances[{at}]") for at, raw in enumerate(raws)]
    )
    return Call(
        request_id(asked.request_id, "request_id") if asked.request_id else new_id(),
        rows,
        raws,
        moments(asked.at, count, settings),
        started,
    )


def labels(body: bytes, endpoint: str, settings: ServeSettings, task: Task | None = None) -> list[Feedback]:
    """The labels of ``{"feedback": [{"request_id", "row" | "entity", "label", "at"?}]}``; raises as above.

    Args:
        body: What was sent.
        endpoint: Whose labels they are.
        settings: Limits.
        task: What the endpoint's champion tells, which its labels must suit; none where nobody answers yet.
    """
    try:
        given = _decode_feedback(body).feedback
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error, '{"feedback": [{"request_id": …, "row": 0, "label": 1}]}') from None
    check_rows(len(given), settings, "feedback")
    logged = now()
    made = []
    for at, one in enumerate(given):
        where = f"feedback[{at}]"
        if not one.request_id and not one.entity:
            raise RequestError(f"{where} names no prediction", field=where, expected="a request_id, or an entity")
        if not 0 <= one.row < _LAST_ROW:
            raise RequestError(
                f"{where}.row is no row of a request", field=f"{where}.row", found=one.row, expected="0 or more"
            )
        number, names = told(one.label, task, f"{where}.label")
        made.append(
            Feedback(
                endpoint=endpoint,
                label=number,
                names=names,
                at=logged if one.at is None else _moment(one.at, f"{where}.at"),
                logged_at=logged,
                request_id=request_id(one.request_id, f"{where}.request_id") if one.request_id else "",
                row=one.row,
                entity=one.entity,
            )
        )
    return made


def request_id(given: str, field: str) -> str:
    """The caller's id, or a new one.

    Raises:
        RequestError: It is too long.
    """
    if len(given) > _ID_LENGTH:
        raise RequestError(
            f"{field} is too long", field=field, found=f"{len(given)} characters", expected=f"at most {_ID_LENGTH}"
        )
    return given or new_id()


def check_rows(count: int, settings: ServeSettings, field: str) -> None:
    """Refuses a request without rows, or with too many.

    Raises:
        RequestError: There are none.
        TooLarge: There are more than ``max_rows``.
    """
    if not count:
        raise RequestError(f"{field} is empty", field=field, found="[]", expected="at least one")
    if count > settings.max_rows:
        raise TooLarge(
            f"{field} has too many rows",
            field=field,
            found=count,
            expected=f"at most {settings.max_rows}",
            do="Split the request",
        )


def moments(given: str | Sequence[str] | None, count: int, settings: ServeSettings) -> list[Micros]:
    """The moment each instance is predicted for: now, unless the request says so and may.

    Raises:
        RequestError: The server does not allow it, it is no moment, or there is not one per instance.
    """
    if given is None:
        return [now()] * count
    if not settings.allow_at:
        raise RequestError(
            "this server answers as of now",
            field="at",
            found=show(given),
            expected="no at",
            do="Set serve.allow_at = true for replays",
        )
    if isinstance(given, str):
        return [_moment(given, "at")] * count
    if len(given) != count:
        raise RequestError(
            "at does not match the instances", field="at", found=f"{len(given)} moments", expected=f"{count}, or one"
        )
    return [_moment(text, f"at[{at}]") for at, text in enumerate(given)]


def unreadable(error: Exception, expected: str) -> RequestError:
    """The refusal of a body that msgspec could not decode."""
    text = str(error)
    if isinstance(error, msgspec.ValidationError):
        problem, _, path = text.partition(" - at `$")
        return RequestError(problem, field=path.rstrip("`").lstrip(".") or None, expected=f"a body like {expected}")
    return Malformed(f"the body is not JSON that can be read: {text}", expected=f"a body like {expected}")


def _moment(text: str, field: str) -> Micros:
    try:
        return micros_of(text)
    except (UsageError, OverflowError):
        raise RequestError(
            f"{field} is no moment in time",
            field=field,
            found=show(text),
            expected="a time such as 2013-07-01T09:30:00Z",
        ) from None
