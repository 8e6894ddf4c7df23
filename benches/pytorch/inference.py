"""Encoding and decoding without gradients in PyTorch: the work of benches/inference.rs.

Prints one line of JSON. Each process measures one work and one batch size, so the peak memory belongs
to these.
"""

import argparse
import json

import torch

from common import parameters, resident_memory, timing
from training_step import LATENT, Critic, Decoder, Encoder, NeuralPrior


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", choices=["encode", "decode"], required=True)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--image-size", type=int, choices=[32, 64, 128], default=64)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=16)
    parser.add_argument("--threads", type=int, help="default: PyTorch's own choice")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    # The whole model, as in a program that loads a model.
    size = options.image_size
    encoder, decoder = Encoder(size), Decoder(size)
    model = torch.nn.ModuleList([encoder, decoder, NeuralPrior(), Critic(size)]).eval()
    if options.work == "encode":
        network, inputs = encoder, torch.rand(options.batch_size, 3, size, size)
    else:
        network, inputs = decoder, torch.randn(options.batch_size, LATENT)
    with torch.inference_mode():
        times = timing(lambda: network(inputs), options.warm_up, options.repeats)
    # Our model also has the scale of the distances as a parameter.
    print(
        json.dumps(
            {
                "implementation": "pytorch",
                "work": options.work,
                "batch_size": options.batch_size,
                "image_size": size,
                "parameters": parameters(*model.parameters()) + 1,
                "threads": torch.get_num_threads(),
                "peak_bytes": resident_memory("VmHWM"),
                **times,
            }
        )
    )


if __name__ == "__main__":
    main()
