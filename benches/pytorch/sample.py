"""The work of `gwae sample` in PyTorch: loads a model and draws samples of its prior as one picture.

    python sample.py --save model.pt                        # a model with untrained weights
    python sample.py --load model.pt -n 64 --out samples.png
"""

import argparse
import math
from pathlib import Path

import torch
from PIL import Image

from training_step import LATENT, Critic, Decoder, Encoder, NeuralPrior

BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", type=Path)
    parser.add_argument("--load", type=Path)
    parser.add_argument("-n", "--number", type=int, default=64)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    parts = {"encoder": Encoder(), "decoder": Decoder(), "prior": NeuralPrior()}
    model = torch.nn.ModuleDict({**parts, "critic": Critic()}).eval()
    if options.save:
        torch.save(model.state_dict(), options.save)
    if options.load is None:
        return
    model.load_state_dict(torch.load(options.load, weights_only=True))
    with torch.inference_mode():
        codes = model["prior"](torch.randn(options.number, LATENT))
        images = torch.cat([model["decoder"](batch) for batch in codes.split(BATCH)])
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    size = images.shape[-1]
    blank = torch.zeros(rows * columns - len(images), *images.shape[1:])
    grid = torch.cat([images, blank]).unflatten(0, (rows, columns))
    grid = grid.permute(0, 3, 1, 4, 2).reshape(rows * size, columns * size, 3)
    Image.fromarray((grid * 255).round().byte().numpy()).save(options.out)


if __name__ == "__main__":
    main()
