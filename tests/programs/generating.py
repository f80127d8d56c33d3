"""What generates: a variational autoencoder, DCGAN, a critic with gradient penalty, a normalizing flow."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from recording import program
from torch import autograd, distributions, optim
from torch.autograd import Variable
from torch.utils.data import DataLoader, TensorDataset


class VAE(nn.Module):
    def __init__(self):
        super(VAE, self).__init__()
        self.fc1 = nn.Linear(64, 32)
        self.fc21 = nn.Linear(32, 4)
        self.fc22 = nn.Linear(32, 4)
        self.fc3 = nn.Linear(4, 32)
        self.fc4 = nn.Linear(32, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 64))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 64), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


@program
def vae(record):
    model = VAE().to("cpu")
    record.start(model=model)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    pictures = torch.rand(4, 1, 8, 8)[torch.randint(4, (160,))]
    loader = DataLoader(TensorDataset(pictures), batch_size=8, shuffle=True)
    model.train()
    for _batch_idx, (data,) in enumerate(loader):
        optimizer.zero_grad()
        recon_batch, mu, logvar = model(data)
        loss = loss_function(recon_batch, data, mu, logvar)
        loss.backward()
        optimizer.step()
        record.loss(loss.item() / len(data))
    model.eval()
    with torch.no_grad():
        sample = model.decode(torch.randn(6, 4)).cpu()
        comparison = torch.cat([data[:4], recon_batch.view(8, 1, 8, 8)[:4]])
    record.note(sample=sample.view(6, 1, 8, 8).mean((1, 2, 3)), comparison=comparison.sum().item())


# dcgan

nz, ngf, ndf, nc = 8, 4, 4, 1


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        torch.nn.init.normal_(m.weight, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        torch.nn.init.normal_(m.weight, 1.0, 0.02)
        torch.nn.init.zeros_(m.bias)


class Generator(nn.Module):
    def __init__(self, ngpu):
        super().__init__()
        self.ngpu = ngpu
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 4, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        if input.is_cuda and self.ngpu > 1:
            return nn.parallel.data_parallel(self.main, input, range(self.ngpu))
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, input):
        return self.main(input).view(-1, 1).squeeze(1)


@program
def dcgan(record):
    device = torch.device("cpu")
    netG = Generator(1).to(device)
    netG.apply(weights_init)
    netD = Discriminator().to(device)
    netD.apply(weights_init)
    record.start(netG=netG, netD=netD)
    record.note(printed=str(netG) + str(netD))
    criterion = nn.BCELoss()
    fixed_noise = torch.randn(4, nz, 1, 1, device=device)
    real_label, fake_label = 1, 0
    optimizerD = optim.Adam(netD.parameters(), lr=0.0002, betas=(0.5, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=0.0002, betas=(0.5, 0.999))
    pictures = torch.randn(80, nc, 16, 16).tanh()
    outputs = []
    for (data,) in DataLoader(TensorDataset(pictures), batch_size=8, shuffle=True):
        for _ in range(2):
            netD.zero_grad()
            real_cpu = data.to(device)
            batch_size = real_cpu.size(0)
            label = torch.full((batch_size,), real_label, dtype=real_cpu.dtype, device=device)
            output = netD(real_cpu)
            errD_real = criterion(output, label)
            errD_real.backward()
            D_x = output.mean().item()
            noise = torch.randn(batch_size, nz, 1, 1, device=device)
            fake = netG(noise)
            label.fill_(fake_label)
            output = netD(fake.detach())
            errD_fake = criterion(output, label)
            errD_fake.backward()
            D_G_z1 = output.mean().item()
            errD = errD_real + errD_fake
            optimizerD.step()
            netG.zero_grad()
            label.fill_(real_label)
            output = netD(fake)
            errG = criterion(output, label)
            errG.backward()
            D_G_z2 = output.mean().item()
            optimizerG.step()
            record.loss(errD.item() + errG.item())
            outputs.append([D_x, D_G_z1, D_G_z2])
    record.note(outputs=outputs, fixed=netG(fixed_noise).detach().double().abs().sum().item())


# a critic of Lipschitz functions


def calc_gradient_penalty(netD, real_data, fake_data, weight=10.0):
    alpha = torch.rand(real_data.size(0), 1)
    alpha = alpha.expand(real_data.size())
    interpolates = alpha * real_data + ((1 - alpha) * fake_data)
    interpolates = autograd.Variable(interpolates, requires_grad=True)
    disc_interpolates = netD(interpolates)
    gradients = autograd.grad(
        outputs=disc_interpolates,
        inputs=interpolates,
        grad_outputs=torch.ones(disc_interpolates.size()),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * weight


@program
def gan_with_gradient_penalty(record):
    netG = nn.Sequential(nn.Linear(2, 16), nn.ReLU(True), nn.Linear(16, 16), nn.ReLU(True), nn.Linear(16, 2))
    netD = nn.Sequential(
        nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 16), nn.Softplus(), nn.Linear(16, 1)
    )
    record.start(netG=netG, netD=netD)
    optimizerD = optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.9))
    optimizerG = optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.9))
    one = torch.tensor(1.0)
    mone = one * -1
    distances = []
    for _iteration in range(10):
        for p in netD.parameters():
            p.requires_grad = True
        for _ in range(2):
            real_data_v = autograd.Variable(torch.randn(16, 2) * 0.5 + 1.0)
            netD.zero_grad()
            D_real = netD(real_data_v).mean()
            D_real.backward(mone)
            noisev = torch.randn(16, 2)
            with torch.no_grad():
                frozen = netG(noisev)
            fake = autograd.Variable(frozen.data)
            D_fake = netD(fake).mean()
            D_fake.backward(one)
            gradient_penalty = calc_gradient_penalty(netD, real_data_v.data, fake.data)
            gradient_penalty.backward()
            distances.append((D_real - D_fake).item())
            optimizerD.step()
            record.loss((D_fake - D_real + gradient_penalty).item())
        for p in netD.parameters():
            p.requires_grad = False
        netG.zero_grad()
        noisev = autograd.Variable(torch.randn(16, 2))
        G = netD(netG(noisev)).mean()
        G.backward(mone)
        optimizerG.step()
    record.note(distances=distances)


@program
def gan_by_logits_of_spectral_norm(record):
    from torch.nn.utils import spectral_norm

    netG = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    netD = nn.Sequential(spectral_norm(nn.Linear(3, 16)), nn.LeakyReLU(0.1), spectral_norm(nn.Linear(16, 1)))
    record.start(netG=netG, netD=netD)
    bce = nn.BCEWithLogitsLoss()
    optimizers = [optim.Adam(net.parameters(), lr=2e-3, betas=(0.0, 0.9)) for net in (netD, netG)]
    ones, zeros = Variable(torch.ones(8, 1)), Variable(torch.zeros(8, 1))
    for _ in range(20):
        real, z = torch.randn(8, 3) + 2, torch.randn(8, 4)
        fake = netG(z)
        d_loss = bce(netD(real), ones) + bce(netD(fake.detach()), zeros)
        optimizers[0].zero_grad()
        d_loss.backward()
        optimizers[0].step()
        g_loss = bce(netD(fake), ones)
        optimizers[1].zero_grad()
        g_loss.backward()
        optimizers[1].step()
        record.loss(d_loss.item() + g_loss.item())


# flows


class RealNVP(nn.Module):
    def __init__(self, nets, nett, mask, prior):
        super().__init__()
        self.prior = prior
        self.mask = nn.Parameter(mask, requires_grad=False)
        self.t = torch.nn.ModuleList([nett() for _ in range(len(mask))])
        self.s = torch.nn.ModuleList([nets() for _ in range(len(mask))])

    def g(self, z):
        x = z
        for i in range(len(self.t)):
            x_ = x * self.mask[i]
            s = self.s[i](x_) * (1 - self.mask[i])
            t = self.t[i](x_) * (1 - self.mask[i])
            x = x_ + (1 - self.mask[i]) * (x * torch.exp(s) + t)
        return x

    def f(self, x):
        log_det_J, z = x.new_zeros(x.shape[0]), x
        for i in reversed(range(len(self.t))):
            z_ = self.mask[i] * z
            s = self.s[i](z_) * (1 - self.mask[i])
            t = self.t[i](z_) * (1 - self.mask[i])
            z = (1 - self.mask[i]) * (z - t) * torch.exp(-s) + z_
            log_det_J -= s.sum(dim=1)
        return z, log_det_J

    def log_prob(self, x):
        z, logp = self.f(x)
        return self.prior.log_prob(z) + logp

    def sample(self, batch_size):
        z = self.prior.sample((batch_size, 1))
        return self.g(z)


def moons(n):
    angles = np.linspace(0, np.pi, n).astype(np.float32)
    upper = np.stack([np.cos(angles), np.sin(angles)], 1)
    return np.concatenate([upper, [1.0, 0.5] - upper]).astype(np.float32)


@program
def real_nvp(record):
    def nets():
        return nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2), nn.Tanh())

    def nett():
        return nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2))

    masks = torch.from_numpy(np.array([[0, 1], [1, 0]] * 2).astype(np.float32))
    prior = distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
    flow = RealNVP(nets, nett, masks, prior)
    record.start(flow=flow)
    optimizer = torch.optim.Adam([p for p in flow.parameters() if p.requires_grad], lr=1e-3)
    points = moons(32)
    rng = np.random.default_rng(0)
    for _ in range(20):
        noisy = points + rng.normal(0, 0.05, points.shape).astype(np.float32)
        loss = -flow.log_prob(torch.from_numpy(noisy)).mean()
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        optimizer.step()
        record.loss(loss.item())
    z = flow.f(torch.from_numpy(points))[0].detach().numpy()
    x = flow.g(torch.from_numpy(z)).detach()
    record.note(
        z=float(np.abs(z).sum()), there_and_back=torch.allclose(x, torch.from_numpy(points), atol=1e-5)
    )
    record.note(sample=flow.sample(3).squeeze(1))


@program
def flow_of_transforms(record):
    base = distributions.Independent(distributions.Normal(torch.zeros(2), torch.ones(2)), 1)
    loc = nn.Parameter(torch.zeros(2))
    log_scale = nn.Parameter(torch.zeros(2))
    optimizer = optim.SGD([loc, log_scale], lr=0.05)
    data = torch.randn(64, 2).exp() * 2
    for _ in range(20):
        affine = distributions.transforms.AffineTransform(loc, log_scale.exp(), event_dim=1)
        exp = distributions.transforms.ExpTransform()
        flow = distributions.TransformedDistribution(base, [affine, exp])
        loss = -flow.log_prob(data).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        record.loss(loss.item())
    record.note(loc=loc.detach(), sample=flow.rsample((2,)).detach())


@program
def diffusion(record):
    """Denoising steps: a schedule in buffers, picked by step, and a network that is told the step."""

    class Denoiser(nn.Module):
        def __init__(self, steps=10):
            super().__init__()
            beta = torch.linspace(1e-4, 0.02, steps)
            alpha_bar = torch.cumprod(1.0 - beta, dim=0)
            self.register_buffer("beta", beta)
            self.register_buffer("alpha_bar", alpha_bar, persistent=False)
            self.net = nn.Sequential(nn.Linear(2 + 8, 32), nn.SiLU(), nn.Linear(32, 2))

        def embed(self, t):
            half = torch.exp(-np.log(100.0) * torch.arange(4) / 4)
            args = t[:, None].float() * half[None]
            return torch.cat([torch.cos(args), torch.sin(args)], dim=-1)

        def forward(self, x, t):
            return self.net(torch.cat([x, self.embed(t)], dim=-1))

    model = Denoiser()
    record.start(model=model)
    optimizer = optim.AdamW(model.parameters(), lr=2e-3)
    data = torch.from_numpy(moons(32))
    for _ in range(20):
        x0 = data[torch.randperm(len(data))[:16]]
        t = torch.randint(0, 10, (16,)).long()
        noise = torch.randn_like(x0)
        a = model.alpha_bar.gather(-1, t).reshape(-1, 1)
        loss = F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        record.loss(loss.item())
    x = torch.randn(4, 2)
    with torch.inference_mode():
        for i in reversed(range(10)):
            t = torch.full((4,), i, dtype=torch.long)
            eps = model(x, t)
            b, a = model.beta[i], model.alpha_bar[i]
            x = (x - b / torch.sqrt(1 - a) * eps) / torch.sqrt(1 - b)
            if i > 0:
                x += torch.sqrt(b) * torch.randn_like(x)
    record.note(sample=x)
