"""`matpho models …`: the data to train on, training, export and a check of the models that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matpho_contracts.errors import BadInputError

KINDS = ("detector", "encoder", "colours")
_KIND = typer.Argument(help="detector, encoder or colours")


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Train, export and check models (training needs: pip install 'matpho[train]').")
    group.command()(data)
    group.command()(train)
    group.command()(export)
    group.command()(check)
    app.add_typer(group, name="models")


def data(
    kind: Annotated[str, _KIND],
    out: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    images: Annotated[int, typer.Option(min=10)] = 6000,
    seed: Annotated[str, typer.Option(help="Another seed is another city.")] = "1",
    workers: Annotated[int, typer.Option(min=1, max=64)] = 2,
) -> None:
    """Draw a training set from the simulated city, held-out part included."""
    from matpho_simcity.dataset import make_captions, make_detection

    _known(kind)
    if kind == "colours":
        typer.echo(f"{_draw_colours(out, images, seed, workers)} crops in {out}")
        return
    made = (make_detection if kind == "detector" else make_captions)(out, images, seed, workers=workers)
    typer.echo(f"{made} pictures in {out}")


def train(
    kind: Annotated[str, _KIND],
    data: Annotated[Path, typer.Argument(help="A folder made by `matpho models data`.")],
    out: Annotated[Path, typer.Argument(help="Where the weights go.")],
    minutes: Annotated[float, typer.Option(min=0, help="Stop after so long; 0: as the recipe says.")] = 0.0,
    init: Annotated[Path | None, typer.Option(help="Go on from these weights (.pt, or an encoder's folder).")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:0 …")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, max=256)] = 2,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Train a model with the recipe that made the shipped one."""
    _known(kind)
    if kind == "detector":
        from matpho_embeddings.training.detector import DetectorRecipe, train_detector

        recipe = DetectorRecipe(minutes=minutes, device=device, threads=threads, seed=seed)
        made = train_detector(data, out, recipe, weights=init)
    elif kind == "colours":
        typer.echo(f"{_train_colours(data, out, minutes, threads, seed)} is ready for use")
        return
    else:
        from matpho_embeddings.training.encoder import EncoderRecipe, train_encoder

        course = EncoderRecipe(minutes=minutes, device=device, threads=threads, seed=seed)
        made = train_encoder(data, out, course, weights=init, report=typer.echo)
    typer.echo(f"{made}\nNext: matpho models export {kind} {made} FOLDER")


def export(
    kind: Annotated[str, _KIND],
    source: Annotated[str, typer.Argument(help="Weights (.pt), a trained folder, or an open_clip model.")],
    out: Annotated[Path, typer.Argument(help="The folder to write.")],
    pretrained: Annotated[str, typer.Option(help="open_clip's tag of weights, or a checkpoint file.")] = "",
    name: Annotated[str, typer.Option(help="What events call the model.")] = "",
    version: Annotated[str, typer.Option(help="Vectors of two versions are never compared.")] = "1",
) -> None:
    """Write a model as the box and the center load it: ONNX, card, licence, checksums."""
    _known(kind)
    if kind == "detector":
        from matpho_embeddings.training.export_detector import export_detector

        made = export_detector(Path(source), out, name=name or "detector", version=version)
    elif kind == "colours":
        raise BadInputError("What `matpho models train colours` writes is exported already.", action="Use it as it is.")
    else:
        from matpho_embeddings.training.export_encoder import export_encoder

        made = export_encoder(source, pretrained or None, out, name=name, version=version)
    typer.echo(str(made))


def _draw_colours(out: Path, images: int, seed: str, workers: int) -> int:
    """Crops for training, and a tenth as many to measure with."""
    from matpho.colour_examples import draw_examples
    from matpho_simcity.shots import PICTURES_PER_CAMERA

    if out.exists() and any(out.iterdir()):
        raise BadInputError(f"{out} is not empty.", action="Give a new folder.")
    cameras = max(1, images // PICTURES_PER_CAMERA)
    made = {"train": draw_examples("train", seed, cameras, workers)}
    made["val"] = draw_examples("val", seed, max(1, cameras // 10), workers)
    out.mkdir(parents=True, exist_ok=True)
    for split, examples in made.items():
        examples.save(out / f"{split}.npz")
    return sum(len(examples) for examples in made.values())


def _train_colours(data: Path, out: Path, minutes: float, threads: int, seed: int) -> Path:
    from matpho_embeddings.training.colours import ColourExamples, ColourRecipe, evaluate_colours, train_colours

    examples, held_out = ColourExamples.load(data / "train.npz"), ColourExamples.load(data / "val.npz")
    recipe = ColourRecipe(minutes=minutes, threads=threads, seed=seed)
    made = train_colours(examples, out, recipe, name=out.name, report=typer.echo)
    typer.echo(str(evaluate_colours(made / "colours.onnx", held_out)))
    return made


def check() -> None:
    """Check every shipped model's files against their checksums."""
    from matpho_embeddings.models import NAMES, model_path, open_folder

    for short in NAMES:
        card = open_folder(model_path(short))
        size = sum(file.stat().st_size for file in card.folder.iterdir() if file.is_file())
        typer.echo(f"{short:<16} {card.name} {card.version}  {size / 1e6:.1f} MB  whole")


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise BadInputError(f"{kind!r} is no kind of model.", action=f"Write one of: {', '.join(KINDS)}.")
