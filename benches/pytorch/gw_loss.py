"""The estimated Gromov-Wasserstein loss alone, forward and backward, in PyTorch.

Two formulas of the pairwise distances: the broadcast difference ‖x[:,None] − x[None]‖, which needs a
[batch, batch, pixels] tensor, and torch.cdist. Prints one line of JSON. Each process measures one
batch size and one formula, so the peak memory belongs to these.
"""

import argparse
import json

import torch

from common import resident_memory, timing


def broadcast_distances(rows: torch.Tensor) -> torch.Tensor:
    return (rows[:, None] - rows[None]).norm(dim=-1)


def cdist_distances(rows: torch.Tensor) -> torch.Tensor:
    # The direct formula. Above 25 rows the default uses the Gram matrix, whose cancellation makes
    # small distances wrong.
    return torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")


def cdist_gram_distances(rows: torch.Tensor) -> torch.Tensor:
    return torch.cdist(rows, rows, compute_mode="use_mm_for_euclid_dist")


FORMULAS = {
    "broadcast": broadcast_distances,
    "cdist": cdist_distances,
    "cdist_gram": cdist_gram_distances,
}


def gw_loss(distances, images, codes, log_coefficient):
    scale = codes.std(0).mean().clamp_min(1e-8)
    latent = distances(codes) * (log_coefficient.exp() / scale)
    return (latent - distances(images)).abs().mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formula", choices=FORMULAS, default="broadcast")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--pixels", type=int, default=12_288)
    parser.add_argument("--latent", type=int, default=64)
    parser.add_argument("--warm-up", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, help="default: PyTorch's own choice")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    images = torch.rand(options.batch_size, options.pixels).requires_grad_()
    codes = torch.randn(options.batch_size, options.latent).requires_grad_()
    log_coefficient = torch.zeros(1, requires_grad=True)
    distances = FORMULAS[options.formula]

    def run() -> None:
        loss = gw_loss(distances, images, codes, log_coefficient)
        torch.autograd.grad(loss, (images, codes, log_coefficient))

    before = resident_memory("VmRSS")
    times = timing(run, options.warm_up, options.repeats)
    peak = resident_memory("VmHWM")
    print(
        json.dumps(
            {
                "implementation": f"pytorch_{options.formula}",
                "batch_size": options.batch_size,
                "pixels": options.pixels,
                "threads": torch.get_num_threads(),
                "peak_bytes": peak,
                "peak_bytes_above_start": peak - before if peak and before else None,
                **times,
            }
        )
    )


if __name__ == "__main__":
    main()
