"""One full GWAE training step in PyTorch: the work of benches/training_step.rs.

Written from the paper's equations (Nakagawa, Togo, Ogawa, Haseyama, ICLR 2023) with the usual
PyTorch modules: 64×64×3 images (or 32×32, 128×128), 64 latent dimensions, neural prior, merged
condition with a spectrally normalised critic, RMSprop on both sides. Prints one line of JSON.
"""

import argparse
import json
import math

import torch
import torch.nn.functional as functional
from torch import nn
from torch.nn.utils import spectral_norm

from common import parameters, resident_memory, timing

LATENT = 64
RECONSTRUCTION, MERGED, ENTROPY, PENALTY = 1.0, 1.0, 0.03, 10.0


def stage_widths(image_size: int) -> list[int]:
    """Channels after each halving down to 4×4."""
    return [min(32 << stage, 256) for stage in range(int(math.log2(image_size // 4)))]


class Encoder(nn.Module):
    def __init__(self, image_size: int = 64):
        super().__init__()
        widths = [3, *stage_widths(image_size)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(i, o, 4, stride=2, padding=1, padding_mode="replicate")
            for i, o in zip(widths, widths[1:])
        )
        self.hidden = nn.Linear(16 * widths[-1], 256)
        self.mean = nn.Linear(256, LATENT)
        self.logvar = nn.Linear(256, LATENT)

    def forward(self, x):
        x = x.clamp(1e-4, 1 - 1e-4)
        x = x.log() - (1 - x).clamp(1e-4, 1 - 1e-4).log()
        for convolution in self.convolutions:
            x = functional.silu(convolution(x))
        x = functional.silu(self.hidden(x.flatten(1)))
        return self.mean(x), self.logvar(x)


class Decoder(nn.Module):
    def __init__(self, image_size: int = 64):
        super().__init__()
        widths = [*reversed(stage_widths(image_size)), 3]
        self.hidden = nn.Linear(LATENT, 256)
        self.expand = nn.Linear(256, 16 * widths[0])
        self.convolutions = nn.ModuleList(
            nn.ConvTranspose2d(i, o, 4, stride=2, padding=1) for i, o in zip(widths, widths[1:])
        )

    def forward(self, z):
        x = functional.silu(self.expand(functional.silu(self.hidden(z)))).unflatten(1, (-1, 4, 4))
        for convolution in self.convolutions[:-1]:
            x = functional.silu(convolution(x))
        return torch.sigmoid(self.convolutions[-1](x))


class NeuralPrior(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [LATENT, 4 * LATENT, 4 * LATENT, 4 * LATENT, LATENT]
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(widths, widths[1:]))
        self.norm = nn.BatchNorm1d(LATENT, momentum=0.5, affine=False)

    def forward(self, noise):
        x = self.layers[0](noise)
        for layer in self.layers[1:]:
            x = layer(0.8 * functional.silu(x) + 0.2 * x)
        return self.norm(x)


class Critic(nn.Module):
    def __init__(self, image_size: int = 64):
        super().__init__()
        widths = [3] + [min(8 << stage, 256) for stage in range(int(math.log2(image_size)))]
        image = []
        for i, o in zip(widths, widths[1:]):
            image += [spectral_norm(nn.Conv2d(i, o, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        self.image = nn.Sequential(*image, nn.Flatten(), spectral_norm(nn.Linear(widths[-1], 64)))
        code = []
        for i, o in [(LATENT, 256), (256, 256), (256, 64)]:
            code += [spectral_norm(nn.Linear(i, o)), nn.LeakyReLU(0.2)]
        self.code = nn.Sequential(*code)
        head = []
        for i, o in [(128, 256), (256, 256)]:
            head += [spectral_norm(nn.Linear(i, o)), nn.LeakyReLU(0.2)]
        self.head = nn.Sequential(*head, spectral_norm(nn.Linear(256, 1)))

    def forward(self, x, z):
        return self.head(torch.cat([self.image(x), self.code(z)], 1) / 2)


def distances(rows):
    return (rows[:, None] - rows[None]).norm(dim=-1)


def sample(mean, logvar):
    return mean + (0.5 * logvar).exp() * torch.randn_like(mean)


class Training:
    def __init__(self, critic_steps: int, image_size: int):
        self.encoder, self.decoder = Encoder(image_size), Decoder(image_size)
        self.prior, self.critic = NeuralPrior(), Critic(image_size)
        self.log_coefficient = nn.Parameter(torch.tensor(2.5).log())
        main = [self.encoder, self.decoder, self.prior]
        self.main = [p for module in main for p in module.parameters()] + [self.log_coefficient]
        self.main_optimizer = torch.optim.RMSprop(self.main, lr=1e-4)
        self.critic_optimizer = torch.optim.RMSprop(self.critic.parameters(), lr=1e-4)
        self.critic_steps = critic_steps

    def main_loss(self, x):
        mean, logvar = self.encoder(x)
        z = sample(mean, logvar)
        reconstructed = self.decoder(z)
        zs = self.prior(torch.randn_like(z))
        xs = self.decoder(zs)
        scale = zs.std(0).mean().clamp_min(1e-8)
        latent = distances(zs) * (self.log_coefficient.exp() / scale)
        gw = (latent - distances(xs.flatten(1))).abs().mean()
        reconstruction = 0.5 * (x - reconstructed).square().sum() / len(x)
        encoded = self.critic(x, z).mean()
        merged = self.critic(xs, zs).mean() - encoded
        entropy = -logvar.sum() / len(x)
        return gw + RECONSTRUCTION * reconstruction + MERGED * merged + ENTROPY * entropy

    def critic_loss(self, x, mean, logvar):
        with torch.no_grad():
            z = sample(mean, logvar)
            zs = self.prior(torch.randn_like(z))
            xs = self.decoder(zs)
        encoded, sampled = self.critic(x, z), self.critic(xs, zs)
        t = torch.rand(len(x), 1)
        image = torch.lerp(xs, x, t[:, :, None, None]).requires_grad_()
        code = torch.lerp(zs, z, t).requires_grad_()
        potential = self.critic(image, code).sum()
        gradients = torch.autograd.grad(potential, (image, code), create_graph=True)
        norms = torch.cat([g.flatten(1) for g in gradients], 1).norm(dim=1)
        penalty = (norms - 1).square().mean()
        penalty = penalty + 1e-4 * (encoded.square().mean() + sampled.square().mean())
        return (encoded - sampled).mean() + PENALTY * penalty

    def step(self, x) -> float:
        loss = self.main_loss(x)
        self.main_optimizer.zero_grad()
        loss.backward(inputs=self.main)
        self.main_optimizer.step()
        with torch.no_grad():
            mean, logvar = self.encoder(x)
        for _ in range(self.critic_steps):
            critic_loss = self.critic_loss(x, mean, logvar)
            self.critic_optimizer.zero_grad()
            critic_loss.backward()
            self.critic_optimizer.step()
        return loss.item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--image-size", type=int, choices=[32, 64, 128], default=64)
    parser.add_argument("--critic-steps", type=int, default=5)
    parser.add_argument("--threads", type=int, help="default: PyTorch's own choice")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    training = Training(options.critic_steps, options.image_size)
    images = torch.rand(options.batch_size, 3, options.image_size, options.image_size)
    times = timing(lambda: training.step(images), options.warm_up, options.steps)
    print(
        json.dumps(
            {
                "implementation": "pytorch",
                "batch_size": options.batch_size,
                "image_size": options.image_size,
                "critic_steps": options.critic_steps,
                "parameters": parameters(*training.main, *training.critic.parameters()),
                "threads": torch.get_num_threads(),
                "peak_bytes": resident_memory("VmHWM"),
                **times,
            }
        )
    )


if __name__ == "__main__":
    main()
