"""A second implementation of GWAE training, in PyTorch, to check the first one.

It is written from the equations, not from other code, and as plainly as possible: every prior and every
switch, automatic differentiation everywhere, double precision. It writes one trajectory file per case
into its own directory:  python reference.py   (PyTorch 2, NumPy; a minute on two cores)

No random numbers are drawn: batch, noise and initial parameters are named streams of numbers, as in
the files of the authors' program (see ../README.md). This script reproduces the losses in those files.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

MOMENTUM = 0.5  # of every batch norm
MASK = (1 << 64) - 1


# Named streams.


def stream(name, count):
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        s = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        s = (s ^ (s >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        s = (s ^ (s >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        s ^= s >> np.uint64(31)
    return (s >> np.uint64(40)).astype(np.float64) / 2**24


def uniform(name, shape):
    return torch.tensor(stream(name, math.prod(shape)).astype(np.float32)).reshape(shape)


def normal(name, shape):
    first, second = (stream(f"{name}#{k}", math.prod(shape)) for k in (1, 2))
    values = np.sqrt(-2 * np.log(1 - first)) * np.cos(2 * np.pi * second)
    return torch.tensor(values.astype(np.float32)).reshape(shape)


class Draws:
    """The noise of one trajectory, in the order of the requests."""

    def __init__(self, prefix):
        self.prefix, self.count = prefix, 0

    def name(self, kind):
        self.count += 1
        return f"{self.prefix}.draw{self.count - 1:03d}.{kind}"

    def normal(self, *shape):
        return normal(self.name("normal"), shape).double()

    def uniform(self, *shape):
        return uniform(self.name("uniform"), shape).clamp(1e-7, 1 - 1e-7).double()

    def gumbel(self, *shape):
        return -torch.log(-torch.log(self.uniform(*shape)))


# Encoder, decoder, critic.


class Residual(nn.Module):
    def __init__(self, channels, batchnorm):
        super().__init__()
        layers = []
        for _ in range(2):
            layers += [nn.Conv2d(channels, channels, 1), nn.SiLU()]
            if batchnorm:
                layers.append(nn.BatchNorm2d(channels, momentum=MOMENTUM))
        self.net = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.net(x)


def behind(channels, batchnorm, resblock):
    layers = [nn.BatchNorm2d(channels, momentum=MOMENTUM)] if batchnorm else []
    return layers + [Residual(channels, batchnorm) for _ in range(2 * resblock)]


class InverseSigmoid(nn.Module):
    def forward(self, x):
        x = x.clamp(1e-4, 1 - 1e-4)
        return x.log() - (1 - x).clamp(1e-4, 1 - 1e-4).log()


class Encoder(nn.Module):
    def __init__(self, latent, batchnorm, resblock):
        super().__init__()
        layers, inputs = [InverseSigmoid()], 3
        for outputs in (32, 64, 128, 256):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, padding_mode="replicate"), nn.SiLU()]
            layers += behind(outputs, batchnorm, resblock)
            inputs = outputs
        self.net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4096, 256), nn.SiLU())
        self.fc, self.fc_logvar = (self.head(latent, batchnorm) for _ in range(2))

    @staticmethod
    def head(latent, batchnorm):
        linear = nn.Linear(256, latent)
        return nn.Sequential(linear, nn.BatchNorm1d(latent, momentum=MOMENTUM)) if batchnorm else linear

    def forward(self, images):
        hidden = self.net(images)
        return self.fc(hidden), self.fc_logvar(hidden)


class StandardisingEncoder(Encoder):
    """With `latent_bn`: standardises the posterior by m and v of the batch."""

    def __init__(self, latent, resblock):
        super().__init__(latent, False, resblock)
        for name in ("running_mean", "running_logvar"):
            self.register_buffer(name, torch.zeros(latent))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, images):
        mean, logvar = super().forward(images)
        if self.training:
            m = mean.mean(0)
            v = (logvar.exp().mean(0) + mean.var(0).clamp(min=1e-10)).log()
            with torch.no_grad():
                old = MOMENTUM if self.num_batches_tracked else 0.0
                self.running_mean.mul_(old).add_((1 - old) * m)
                self.running_logvar.mul_(old).add_((1 - old) * v)
                self.num_batches_tracked += 1
        else:
            m, v = self.running_mean, self.running_logvar
        return (mean - m) * (-v / 2).exp(), logvar - v


class Decoder(nn.Module):
    def __init__(self, latent, batchnorm, resblock):
        super().__init__()
        layers = [nn.Linear(latent, 256), nn.SiLU(), nn.Linear(256, 4096), nn.SiLU()]
        layers += [nn.Unflatten(1, (256, 4, 4))]
        for inputs, outputs in ((256, 128), (128, 64), (64, 32)):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.SiLU()]
            layers += behind(outputs, batchnorm, resblock)
        layers += [nn.ConvTranspose2d(32, 3, 4, 2, 1)]
        layers += [Residual(3, batchnorm) for _ in range(2 * resblock)]
        self.net = nn.Sequential(*layers, nn.Sigmoid())

    def forward(self, codes):
        return self.net(codes)


class Critic(nn.Module):
    def __init__(self, latent):
        super().__init__()
        widths = (3, 8, 16, 32, 64, 128, 256)
        image = []
        for inputs, outputs in zip(widths, widths[1:]):
            image += [spectral_norm(nn.Conv2d(inputs, outputs, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.x_net = nn.Sequential(*image, nn.Flatten(), spectral_norm(nn.Linear(256, 64)))
        self.z_net = self.linears((latent, 256, 256, 64))
        self.z_net.append(nn.LeakyReLU(0.2))
        self.xz_net = self.linears((128, 256, 256, 1))

    @staticmethod
    def linears(widths):
        layers = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [spectral_norm(nn.Linear(inputs, outputs)), nn.LeakyReLU(0.2)]
        return nn.Sequential(*layers[:-1])

    def forward(self, images, codes):
        return self.xz_net(torch.cat([self.x_net(images), self.z_net(codes)], 1) / 2)


# Priors: `sample(batch, draws)` gives codes.


class LeakySiLU(nn.Module):
    def forward(self, x):
        return 0.8 * F.silu(x) + 0.2 * x


class Neural(nn.Module):
    def __init__(self, latent, factorized):
        super().__init__()
        self.latent, self.factorized = latent, factorized
        sizes = (latent, 4 * latent, 4 * latent, 4 * latent, latent)
        layers = [nn.Unflatten(1, (latent, 1))] if factorized else []
        for a, b in zip(sizes, sizes[1:]):
            layers += [nn.Conv1d(a, b, 1, groups=latent) if factorized else nn.Linear(a, b), LeakySiLU()]
        layers[-1] = nn.BatchNorm1d(latent, momentum=MOMENTUM, affine=False)
        self.net = nn.Sequential(*layers)

    def sample(self, batch, draws):
        return self.net(draws.normal(batch, self.latent)).reshape(batch, self.latent)


class GaussianMixture(nn.Module):
    """In the official form, the standard deviations are the column sums of each matrix."""

    def __init__(self, latent, components):
        super().__init__()
        self.component_mean = nn.Parameter(torch.zeros(components, latent))
        self.component_sqrtprecision = nn.Parameter(torch.zeros(components, latent, latent))
        self.logits_unnormalized = nn.Parameter(torch.zeros(components))
        self.batchnorm = nn.BatchNorm1d(latent, momentum=MOMENTUM, affine=False)

    def sample(self, batch, draws):
        components, latent = self.component_mean.shape
        chosen = (self.logits_unnormalized + draws.gumbel(batch, components)).argmax(1)
        deviations = self.component_sqrtprecision.sum(1)
        noise = draws.normal(batch, latent)
        return self.batchnorm(self.component_mean[chosen] + noise * deviations[chosen])


class Fixed(nn.Module):
    def __init__(self, latent, family):
        super().__init__()
        self.latent, self.family = latent, family

    def sample(self, batch, draws):
        if self.family == "factorized_uniform":
            return (2 * draws.uniform(batch, self.latent) - 1) * math.sqrt(3)
        noise = draws.normal(batch, self.latent)
        return noise if self.family == "factorized_normal" else noise / noise.norm(dim=1, keepdim=True)


class VectorQuantized(nn.Module):
    def __init__(self, latent, embeddings):
        super().__init__()
        self.embeddings = nn.Parameter(torch.zeros(embeddings, latent))

    def sample(self, batch, draws):
        noise = draws.normal(batch, self.embeddings.shape[1])
        return self.embeddings[torch.cdist(noise, self.embeddings).argmin(1)]


class Causal(nn.Module):
    """In the official form, every map takes the noise, so only the last one acts. Training mode."""

    def __init__(self, latent):
        super().__init__()
        self.dag = nn.Module()
        self.dag.permutation_score = nn.Parameter(torch.zeros(latent))
        self.dag.edge_score = nn.Parameter(torch.zeros(latent, latent))
        self.ccs = nn.ModuleList(nn.Module() for _ in range(7))
        for layer in self.ccs:
            layer.weight = nn.Parameter(torch.zeros(latent, latent))
            layer.bias = nn.Parameter(torch.zeros(latent))
        self.batchnorm = nn.BatchNorm1d(latent, momentum=MOMENTUM)

    def sample(self, batch, draws):
        latent = len(self.dag.permutation_score)
        noise = draws.normal(batch, latent)
        score = self.dag.permutation_score + draws.gumbel(latent)
        # P_ji ∝ exp( s_i (L − 1 − 2j) − Σ_k |s_i − s_k| )
        rank = latent - 1 - 2 * torch.arange(latent, dtype=torch.float64)
        spread = (score[:, None] - score).abs().sum(0)
        order = (torch.outer(rank, score) - spread).softmax(1)
        allowed = order @ torch.ones(latent, latent, dtype=torch.float64).triu(1) @ order.T
        gumbel = draws.gumbel(latent, latent, 2)
        # The second of softmax(E + g₀, −E + g₁).
        edges = torch.sigmoid(gumbel[..., 1] - gumbel[..., 0] - 2 * self.dag.edge_score)
        last = self.ccs[-1]
        return self.batchnorm(noise + noise @ (last.weight * (edges * allowed).T) + last.bias)


def prior(h):
    family, latent = h["sampler_type"], h["z_dim"]
    if family in ("neural", "factorized_neural"):
        return Neural(latent, family != "neural")
    if family == "gm":
        return GaussianMixture(latent, h["num_components"])
    if family == "vq":
        return VectorQuantized(latent, h["num_embeddings"])
    return Causal(latent) if family == "causal" else Fixed(latent, family)


class Model(nn.Module):
    def __init__(self, h):
        super().__init__()
        latent, batchnorm, resblock = h["z_dim"], h["batchnorm"], h["resblock"]
        self.log_distance_coef = nn.Parameter(torch.tensor(float(h.get("distance_coef_initial", 1))).log())
        self.sampler = prior(h)
        if h.get("latent_bn"):
            self.enc_block = StandardisingEncoder(latent, resblock)
        else:
            self.enc_block = Encoder(latent, batchnorm, resblock)
        self.dec_block = Decoder(latent, batchnorm, resblock)
        if h["merged_condition"]:
            self.disc_block = Critic(latent)

    def fill(self):
        """Takes every parameter and buffer from the stream of its name."""
        state = self.state_dict()
        for name, old in state.items():
            layer, _, kind = name.rpartition(".")
            is_norm = f"{layer}.running_var" in state
            shape = list(old.shape)
            if name == "log_distance_coef":
                new = old
            elif kind == "running_var" or (is_norm and kind == "weight"):
                new = torch.ones(shape)
            elif is_norm or kind in ("running_mean", "running_logvar", "num_batches_tracked"):
                new = torch.zeros(shape)
            elif kind in ("weight_u", "weight_v"):
                new = normal(name, shape)
                new = new / new.norm()
            elif kind == "component_sqrtprecision":
                new = torch.eye(shape[1]) + 0.1 * normal(name, shape)
            elif kind in ("component_mean", "logits_unnormalized", "embeddings") or ".dag." in name:
                new = normal(name, shape)
            else:
                weight = state.get(f"{layer}.weight", state.get(f"{layer}.weight_orig"))
                new = (2 * uniform(name, shape) - 1) * (1 / math.sqrt(math.prod(weight.shape[1:])))
            state[name] = new
        self.load_state_dict(state)


# Training.


def posterior_draw(posterior, draws):
    mean, logvar = posterior
    return mean + (logvar / 2).exp() * draws.normal(*mean.shape)


def half_square(a, b):
    return 0.5 * (a - b).square().flatten(1).sum(1).mean()


def distances(rows):
    difference = rows[:, None] - rows
    squares = difference.square().sum(2)
    same = squares == 0  # the diagonal, and equal samples: the gradient is taken as zero
    return torch.where(same, 0.0, torch.where(same, 1.0, squares).sqrt())


def kernel(a, b):
    return torch.exp(-(a[:, None] - b).square().sum(2) / a.shape[1] ** 2).mean()


def scale(codes):
    return codes.std(0).mean()


def trajectory(name, h, batch, steps):
    model, draws = Model(h), Draws(name)
    model.fill()
    model.double().train()
    images = uniform(f"{name}.x", (batch, 3, 64, 64)).double()
    encode, decode, sampler = model.enc_block, model.dec_block, model.sampler
    critic = model.disc_block if h["merged_condition"] else None
    ours = [p for n, p in model.named_parameters() if not n.startswith("disc_block")]
    if critic is None:
        main = torch.optim.Adam(ours, h["lr"])
    else:
        main = torch.optim.RMSprop(ours, h["lr"])
        other = torch.optim.RMSprop(critic.parameters(), h["lr_disc"])
    learned, mixed = h.get("learned_similarity"), h.get("mixed_potential")

    all_losses = []
    for _ in range(steps):
        posterior = encode(images)
        z = posterior_draw(posterior, draws)
        reconstructed = decode(z)
        zs = sampler.sample(batch, draws)
        xs = decode(zs)
        spread = scale(zs).clamp(min=1e-8)
        dz = model.log_distance_coef.exp() * distances(zs) / spread
        loss = {"loss_gw": (dz - distances(xs.flatten(1))).abs().mean()}
        loss["loss_w"] = half_square(images, reconstructed)
        if learned:
            loss["loss_w"] = loss["loss_w"] + half_square(critic.x_net(images), critic.x_net(reconstructed))
        if critic is None:
            loss["loss_d"] = kernel(z, z) + kernel(zs, zs) - 2 * kernel(z, zs)
        else:
            encoded = critic(images, z)
            sampled = critic(xs, zs)
            if mixed:
                code = z.detach()
                sampled = (sampled + critic(decode(code), code)) / 2
            loss["loss_d"] = (sampled - encoded).mean()
        loss["loss_qentropy"] = -posterior[1].sum(1).mean()
        weights = {"loss_gw": 1, "loss_w": h["coef_w"], "loss_d": h["coef_d"], "loss_qentropy": h["coef_qentropy"]}
        total = sum(weight * loss[key] for key, weight in weights.items())
        model.zero_grad()
        total.backward()
        main.step()

        if critic is not None:
            posterior = [p.detach() for p in encode(images)]
            for _ in range(h["times_d_training"]):
                with torch.no_grad():
                    z = posterior_draw(posterior, draws)
                    reconstructed = decode(z)
                    zs = sampler.sample(batch, draws)
                    xs = decode(zs)
                encoded, sampled = critic(images, z), critic(xs, zs)
                if mixed:
                    sampled = (sampled + critic(reconstructed, z)) / 2
                t = draws.uniform(batch)
                x_between = torch.lerp(xs, images, t[:, None, None, None]).requires_grad_()
                z_between = torch.lerp(zs, z, t[:, None]).requires_grad_()
                slopes = torch.autograd.grad(critic(x_between, z_between).sum(), (x_between, z_between), create_graph=True)
                steepness = sum(s.square().flatten(1).sum(1) for s in slopes).sqrt()
                penalty = (steepness - 1).square().mean()
                penalty = penalty + 1e-4 * (encoded.square().mean() + sampled.square().mean())
                potential = (encoded - sampled).mean()
                objective = potential + h["coef_gp"] * penalty
                model.zero_grad()
                objective.backward()
                other.step()
            loss |= {"loss_disc": objective, "loss_logits": potential, "loss_gp": penalty}
            loss |= {"logit_autoencoding": encoded.mean(), "logit_sampling": sampled.mean()}
        loss |= {"distance_coef": model.log_distance_coef.exp(), "qz_scale": scale(z), "pz_scale": scale(zs)}
        all_losses.append({"loss": total.item()} | {key: value.item() for key, value in loss.items()})

    model.eval()
    with torch.no_grad():
        mean, logvar = encode(images)
        decoded = decode(mean)
    return {
        "name": name,
        "hyperparameters": h,
        "batch": batch,
        "losses": all_losses,
        "eval_after": {
            "mean_row0": mean[0].tolist(),
            "logvar_row0": logvar[0].tolist(),
            "decoded_mean": decoded.mean().item(),
            "decoded_0_0_row32": decoded[0, 0, 32].tolist(),
        },
    }


COMMON = {
    "lr": 1e-4, "z_dim": 6, "coef_w": 1, "coef_d": 1, "coef_qentropy": 0.03, "lr_disc": 1e-4, "coef_gp": 10,
    "times_d_training": 1, "merged_condition": True, "batchnorm": False, "resblock": False,
    "distance_coef_initial": 2.5,
}  # fmt: skip

# Every prior and every switch at least once.
CASES = {
    "neural_batchnorm": {"sampler_type": "neural", "batchnorm": True},
    "factorized_neural_resblock": {"sampler_type": "factorized_neural", "resblock": True},
    "gm_latent_bn": {"sampler_type": "gm", "num_components": 5, "latent_bn": True},
    "factorized_normal_learned": {"sampler_type": "factorized_normal", "learned_similarity": True},
    "factorized_uniform_mixed": {"sampler_type": "factorized_uniform", "mixed_potential": True},
    "spherical": {"sampler_type": "spherical"},
    "vq_batchnorm_resblock_mixed": {
        "sampler_type": "vq", "num_embeddings": 7, "batchnorm": True, "resblock": True, "mixed_potential": True,
    },  # fmt: skip
    "causal_latent_bn_batchnorm": {"sampler_type": "causal", "latent_bn": True, "batchnorm": True},
    "neural_learned_mixed": {"sampler_type": "neural", "learned_similarity": True, "mixed_potential": True},
    "causal_mmd": {"sampler_type": "causal", "merged_condition": False},
    "vq_mmd_latent_bn": {"sampler_type": "vq", "num_embeddings": 7, "merged_condition": False, "latent_bn": True},
}

# Many switches at once, several critic steps, unusual hyper-parameters.
EVERYTHING = {
    "lr": 1e-4, "lr_disc": 5e-5, "z_dim": 9, "coef_w": 0.7, "coef_d": 2, "coef_qentropy": 0.01, "coef_gp": 5,
    "times_d_training": 3, "batchnorm": True, "resblock": True, "learned_similarity": True, "mixed_potential": True,
    "distance_coef_initial": 0.7,
}  # fmt: skip
EXTREMES = {
    "gm_everything": EVERYTHING | {"sampler_type": "gm", "num_components": 7},
    "causal_everything_latent_bn": EVERYTHING | {"sampler_type": "causal", "latent_bn": True},
    "gm_mmd_batchnorm_resblock": {
        "sampler_type": "gm", "num_components": 4, "merged_condition": False, "batchnorm": True, "resblock": True,
        "distance_coef_initial": None,
    },  # fmt: skip
    "normal_one_dimension": {"sampler_type": "factorized_normal", "z_dim": 1, "times_d_training": 2},
}


def main():
    cases = [(name, change, 3, 2) for name, change in CASES.items()]
    cases += [(name, change, 5, 3) for name, change in EXTREMES.items()]
    for name, change, batch, steps in cases:
        hyperparameters = {key: value for key, value in (COMMON | change).items() if value is not None}
        result = trajectory(name, hyperparameters, batch=batch, steps=steps)
        path = Path(__file__).parent / f"{name}.json"
        path.write_text(json.dumps(result, indent=1) + "\n")
        print(path.name, result["losses"][-1])


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
