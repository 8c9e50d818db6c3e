"""Trains the small network that names colours, and exports it to a model folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError, IntegrityError
from matpho_contracts.vocabulary import Colour, ObjectClass

from ..runtime import open_session
from .extra import need
from .half_weights import halve_weights
from .model_folder import write_folder

OPSET = 17
WIDTH, HIDDEN, CLASS_NUMBERS = 24, 96, 8
"""Channels of the first layer, of the last, and numbers that stand for a class."""
UNKNOWN_SHARE = 0.08
"""Examples whose class is kept from the network, for detectors that have other words."""
GAIN_JITTER, TINT_JITTER, SURROUNDINGS_JITTER = 0.12, 0.04, 0.12
"""How far the light is misjudged in the street, standard deviations of logarithms."""
MOST_DIFFERENCE = 0.02
"""Between what the exported network and the trained one say; an export above it is refused."""
_CARD = """# {name} {version}

Names the colour of a thing in a crop of 32x32 pixels, knowing its class. Trained on {examples:,} crops.
"""


@dataclass(frozen=True, slots=True)
class ColourExamples:
    """n crops: `pictures` (n, side, side, 3) uint8 BGR with the light taken out, `surroundings` (n,) float32 against
    white, `classes` (n,) places in ObjectClass, `colours` (n,) places in Colour."""

    pictures: NDArray[np.uint8]
    surroundings: NDArray[np.float32]
    classes: NDArray[np.int64]
    colours: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.colours)

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """All examples of several sets; raises BadInputError when there are none."""
        filled = [part for part in parts if len(part)]
        if not filled:
            raise BadInputError("There is no example of any colour.", action="Draw more cameras.")
        return cls(*(np.concatenate([getattr(part, field.name) for part in filled]) for field in fields(cls)))

    def save(self, file: Path) -> None:
        """Write them as NumPy's `.npz`."""
        np.savez(file, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote; raises BadInputError for anything else."""
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as held:
                found = cls(*(held[field.name] for field in fields(cls)))
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise BadInputError(
                f"{file} holds no colour examples.", action="Make it: matpho models data colours"
            ) from error
        sizes = {len(getattr(found, field.name)) for field in fields(cls)}
        if len(sizes) != 1 or found.pictures.ndim != 4 or found.pictures.dtype != np.uint8:
            raise BadInputError(f"{file} is damaged.", action="Make it again: matpho models data colours")
        return found


@dataclass(frozen=True, slots=True)
class ColourRecipe:
    """How to train. `minutes` of 0 means: as long as the epochs take."""

    epochs: int = 12
    batch: int = 128
    learning_rate: float = 3e-3
    minutes: float = 0.0
    seed: int = 1
    threads: int = 2


def train_colours(
    examples: ColourExamples,
    out: Path,
    recipe: ColourRecipe | None = None,
    *,
    name: str = "colours",
    version: str = "1",
    licence: str = "Apache-2.0\n",
    report: Callable[[str], object] = print,
) -> Path:
    """Trains on the examples and writes the model folder `out`: `colours.onnx`, card, licence, checksums.

    Raises ConfigurationError without the extra `train`, IntegrityError when the export says something else.
    """
    recipe = recipe or ColourRecipe()
    torch = need("torch")
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    network = _network(torch, examples.pictures.shape[1])
    _fit(network, examples, recipe, torch, report)
    out.mkdir(parents=True, exist_ok=True)
    _export(network.eval(), examples, out / "colours.onnx", torch)
    told = {
        "kind": "colours",
        "name": name,
        "version": version,
        "licence": licence.strip().splitlines()[0].strip(),
        "files": {"colours": "colours.onnx"},
    }
    write_folder(out, told, _CARD.format(name=name, version=version, examples=len(examples)), licence)
    return out


def evaluate_colours(model: Path, examples: ColourExamples, batch: int = 512) -> dict[str, Any]:
    """Share of examples named right, in all, with the true name among the first two, and for each class."""
    session = open_session(model, "onnxruntime", 1)
    parts = []
    for start in range(0, len(examples), batch):
        part = slice(start, start + batch)
        given = {name: getattr(examples, name)[part] for name in ("pictures", "surroundings", "classes")}
        parts.append(session.run(given)[0])
    ranked = np.argsort(-np.concatenate(parts), axis=1)
    first = ranked[:, 0] == examples.colours
    second = first | (ranked[:, 1] == examples.colours)
    known = list(ObjectClass)
    by_class = {
        known[number].value: round(float(first[examples.classes == number].mean()), 3)
        for number in np.unique(examples.classes).tolist()
        if number < len(known)
    }
    return {
        "examples": len(examples),
        "right": round(float(first.mean()), 4),
        "among_two": round(float(second.mean()), 4),
        "by_class": by_class,
    }


def _network(torch: Any, side: int) -> Any:
    """Five layers of 3x3 convolutions that halve three times, a hidden layer, one number for each colour."""
    nn = torch.nn

    def layer(given: int, made: int, stride: int) -> Any:
        return nn.Sequential(
            nn.Conv2d(given, made, 3, stride, 1, bias=False), nn.BatchNorm2d(made), nn.ReLU(inplace=True)
        )

    class Network(torch.nn.Module):  # type: ignore[misc]  # torch is an optional extra and seen as Any
        def __init__(self) -> None:
            super().__init__()
            self.kinds = nn.Embedding(len(ObjectClass) + 1, CLASS_NUMBERS)
            self.look = nn.Sequential(
                layer(3 + 1 + CLASS_NUMBERS, WIDTH, 1),
                layer(WIDTH, WIDTH, 2),
                layer(WIDTH, 2 * WIDTH, 1),
                layer(2 * WIDTH, 2 * WIDTH, 2),
                layer(2 * WIDTH, 3 * WIDTH, 2),
                nn.Flatten(),
                nn.Dropout(0.2),
                nn.Linear(3 * WIDTH * (side // 8) ** 2, HIDDEN),
                nn.ReLU(inplace=True),
            )
            self.name = nn.Linear(HIDDEN + CLASS_NUMBERS, len(Colour))

        def forward(self, pictures: Any, surroundings: Any, classes: Any) -> Any:
            kind = self.kinds(classes)
            seen = pictures.float().permute(0, 3, 1, 2) / 255
            plane = torch.cat([surroundings[:, None], kind], 1)[:, :, None, None].expand(-1, -1, side, side)
            return self.name(torch.cat([self.look(torch.cat([seen, plane], 1)), kind], 1))

    return Network()


def _fit(
    network: Any, examples: ColourExamples, recipe: ColourRecipe, torch: Any, report: Callable[[str], object]
) -> None:
    random = np.random.default_rng(recipe.seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=0.02)
    began, steps = time.monotonic(), recipe.epochs * (len(examples) // recipe.batch)
    step, done = 0, 0.0
    network.train()
    while done < 1.0:
        order = random.permutation(len(examples))
        losses = []
        for start in range(0, len(order) - recipe.batch + 1, recipe.batch):
            spent = (time.monotonic() - began) / 60
            done = max(step / max(steps, 1), spent / recipe.minutes if recipe.minutes else 0.0)
            if done >= 1.0:
                break
            for group in optimizer.param_groups:  # a short rise, then a cosine
                group["lr"] = recipe.learning_rate * min(1.0, done / 0.05 + 0.02) * 0.5 * (1 + np.cos(np.pi * done))
            given, wanted = _drawn(examples, order[start : start + recipe.batch], random, torch)
            loss = torch.nn.functional.cross_entropy(network(*given), wanted, label_smoothing=0.03)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            step += 1
        if losses:
            report(f"{done:.0%}, loss {np.mean(losses):.3f}")


def _drawn(
    examples: ColourExamples, chosen: NDArray[np.int64], random: np.random.Generator, torch: Any
) -> tuple[tuple[Any, Any, Any], Any]:
    """A batch, each crop mirrored half the time and its light a little misjudged."""
    count = len(chosen)
    pictures = examples.pictures[chosen].astype(np.float32)
    mirrored = random.random(count) < 0.5
    pictures[mirrored] = pictures[mirrored, :, ::-1]
    gains = np.exp(random.normal(0, GAIN_JITTER, (count, 1)) + random.normal(0, TINT_JITTER, (count, 3)))
    pictures = np.minimum(pictures * gains[:, None, None].astype(np.float32), 255.0)
    around = examples.surroundings[chosen] * np.exp(random.normal(0, SURROUNDINGS_JITTER, count))
    classes = np.where(random.random(count) < UNKNOWN_SHARE, len(ObjectClass), examples.classes[chosen])
    given = (
        torch.from_numpy(np.ascontiguousarray(pictures)),
        torch.from_numpy(around.astype(np.float32)),
        torch.from_numpy(classes),
    )
    return given, torch.from_numpy(examples.colours[chosen])


def _export(network: Any, examples: ColourExamples, file: Path, torch: Any) -> None:
    """Writes the network with its last step, chances that sum to 1, and compares the two."""

    class Chances(torch.nn.Module):  # type: ignore[misc]  # torch is an optional extra and seen as Any
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pictures: Any, surroundings: Any, classes: Any) -> Any:
            return torch.softmax(self.network(pictures, surroundings, classes), 1)

    some = slice(0, min(64, len(examples)))
    given = {name: getattr(examples, name)[some] for name in ("pictures", "surroundings", "classes")}
    chances, sample = Chances().eval(), tuple(torch.from_numpy(value) for value in given.values())
    torch.onnx.export(
        chances,
        sample,
        str(file),
        input_names=list(given),
        output_names=["chances"],
        dynamic_axes={name: {0: "n"} for name in (*given, "chances")},
        opset_version=OPSET,
        dynamo=False,
    )
    halve_weights(file)
    with torch.no_grad():
        wanted = chances(*sample).numpy()
    said = open_session(file, "onnxruntime", 1).run(given)[0]
    if float(np.abs(said - wanted).max()) > MOST_DIFFERENCE:
        raise IntegrityError("The exported network says something else than the trained one.", action="Train again.")
