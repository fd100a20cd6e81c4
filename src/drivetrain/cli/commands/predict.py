"""Ask the running endpoint, or score a file. Instances are JSON: one object, a list of them, or @FILE."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.live import LiveProgress
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.core.errors import UsageError
from drivetrain.loop.project import Project


def command(
    instances: Annotated[
        str | None, typer.Argument(metavar="[JSON]", help="An object, a list of objects, or @FILE.", show_default=False)
    ] = None,
    *,
    endpoint: Annotated[str | None, typer.Option(help="Which endpoint; not needed where there is one.")] = None,
    at: Annotated[str | None, typer.Option(help="As of this moment (ISO 8601), where the server allows it.")] = None,
    source: Annotated[
        Path | None, typer.Option("--input", metavar="FILE", help="Rows to score: Parquet, CSV or JSON lines.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Parquet file for the scored rows.")] = None,
    features: Annotated[
        str | None, typer.Option(help="With --input: online, or offline (joined from the tables). [default: online]")
    ] = None,
    version: Annotated[int | None, typer.Option(help="With --input: which version, not the champion.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="With --input: write rows that don't fit to OUTPUT.refused.parquet.")
    ] = False,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Sends one request to the inference server, or scores a file without one."""
    with plain_errors(as_json=json):
        if source is None and output is None:
            if features is not None or version is not None or skip_bad:
                raise UsageError("--features, --version and --skip-bad score a file", do="Name it with --input")
            _ask(Project.load(project), endpoint, instances, at, as_json=json)
            return
        if instances is not None:
            raise UsageError("predict asks the endpoint or scores a file, not both", found="JSON and a file")
        if source is None or output is None:
            raise UsageError(
                "to score a file takes two names",
                found="--input alone" if output is None else "--output alone",
                expected="--input FILE --output FILE",
            )
        loaded = Project.load(project)
        with LiveProgress() as live:
            scored = loaded.predict_batch(
                endpoint,
                source,
                output,
                at=at,
                features=features or "online",  # type: ignore[arg-type]  # checked below the door
                version=version,
                skip_bad=skip_bad,
                progress=live,
            )
        if json:
            show_json(scored)
            return
        by = f"{scored.model} v{scored.version}"
        out.print(f"{scored.rows:,} rows scored by {by} in {scored.seconds:.1f} s: {scored.output}", markup=False)
        if scored.refused:
            out.print(f"{scored.refused:,} rows do not fit the request: {scored.refused_output}", markup=False)


def _ask(project: Project, endpoint: str | None, text: str | None, at: str | None, *, as_json: bool) -> None:
    if text is None:
        raise UsageError("nothing to predict", expected="JSON, or --input FILE --output FILE")
    answer = project.predict(endpoint, _read(text), at=at)
    if as_json:
        show_json(answer)
        return
    follows = [answer.get(name) for name in ("decisions", "intervals", "sets")]
    for row, value in enumerate(answer["predictions"]):
        out.print(f"{value}{_followed([None if each is None else each[row] for each in follows])}", markup=False)
    out.print(f"[dim]version {answer['model_version']}, request {answer['request_id']}[/]")


def _followed(follows: list[Any]) -> str:
    """What follows from an answer, where its version says so."""
    decision, interval, classes = follows
    told = [] if decision is None else ["act" if decision else "leave"]
    told += [] if interval is None else [f"from {interval[0]:.6g} to {interval[1]:.6g}"]
    told += [] if classes is None else [f"one of {', '.join(classes)}" if len(classes) > 1 else f"only {classes[0]}"]
    return f"  {'; '.join(told)}" if told else ""


def _read(text: str) -> list[dict[str, object]]:
    if text.startswith("@"):
        path = Path(text[1:])
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        text = path.read_text("utf-8")
    try:
        return msgspec.json.decode(text if text.lstrip().startswith("[") else f"[{text}]", type=list[dict[str, object]])
    except msgspec.DecodeError as error:
        raise UsageError(f"the instances are not JSON objects: {error}") from None
