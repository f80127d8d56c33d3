"""First programs: tensors, derivatives, functions, modules, optimisers; micrograd's checks."""

import math
import random

import torch
from recording import program

dtype = torch.float
device = torch.device("cpu")
N, D_in, H, D_out = 16, 30, 20, 5


@program
def tensors(record):
    x = torch.randn(N, D_in, device=device)
    y = torch.randn(N, D_out, device=device)
    w1 = torch.randn(D_in, H, device=device)
    w2 = torch.randn(H, D_out, device=device)
    learning_rate = 1e-5
    for _t in range(20):
        h = x.mm(w1)
        h_relu = h.clamp(min=0)
        y_pred = h_relu.mm(w2)
        loss = (y_pred - y).pow(2).sum()
        record.loss(loss.item())
        grad_y_pred = 2.0 * (y_pred - y)
        grad_w2 = h_relu.t().mm(grad_y_pred)
        grad_h_relu = grad_y_pred.mm(w2.t())
        grad_h = grad_h_relu.clone()
        grad_h[h < 0] = 0
        grad_w1 = x.t().mm(grad_h)
        w1 -= learning_rate * grad_w1
        w2 -= learning_rate * grad_w2
    record.note(w1=w1.sum().item())


@program
def derivatives(record):
    x = torch.randn(N, D_in, device=device)
    y = torch.randn(N, D_out, device=device)
    w1 = torch.randn(D_in, H, device=device, requires_grad=True)
    w2 = torch.randn(H, D_out, device=device, requires_grad=True)
    for _t in range(20):
        y_pred = x.mm(w1).clamp(min=0).mm(w2)
        loss = (y_pred - y).pow(2).sum()
        record.loss(loss.item())
        loss.backward()
        with torch.no_grad():
            w1 -= 1e-5 * w1.grad
            w2 -= 1e-5 * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        grad_x = grad_output.clone()
        grad_x[x < 0] = 0
        return grad_x


@program
def functions_of_our_own(record):
    x = torch.randn(N, D_in, device=device, dtype=dtype)
    y = torch.randn(N, D_out, device=device, dtype=dtype)
    w1 = torch.randn(D_in, H, device=device, requires_grad=True)
    w2 = torch.randn(H, D_out, device=device, requires_grad=True)
    for _t in range(20):
        y_pred = MyReLU.apply(x.mm(w1)).mm(w2)
        loss = (y_pred - y).pow(2).sum()
        record.loss(loss.item())
        loss.backward()
        with torch.no_grad():
            w1 -= 1e-5 * w1.grad
            w2 -= 1e-5 * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()


class LegendrePolynomial3(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


@program
def polynomials(record):
    x = torch.linspace(-math.pi, math.pi, 200, device=device, dtype=dtype)
    y = torch.sin(x)
    a = torch.full((), 0.0, device=device, dtype=dtype, requires_grad=True)
    b = torch.full((), -1.0, device=device, dtype=dtype, requires_grad=True)
    c = torch.full((), 0.0, device=device, dtype=dtype, requires_grad=True)
    d = torch.full((), 0.3, device=device, dtype=dtype, requires_grad=True)
    for _t in range(20):
        y_pred = a + b * LegendrePolynomial3.apply(c + d * x)
        loss = (y_pred - y).pow(2).sum()
        record.loss(loss.item())
        loss.backward()
        with torch.no_grad():
            for p in (a, b, c, d):
                p -= 5e-6 * p.grad
                p.grad = None
    record.note(result=f"y = {a.item():.4f} + {b.item():.4f} * P3({c.item():.4f} + {d.item():.4f} x)")


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input, threshold, scale=1.0):
        ctx.scale = scale
        ctx.mark_non_differentiable()
        return (input > threshold).float()

    @staticmethod
    def backward(ctx, grad_output):
        assert ctx.needs_input_grad == (True, False, False)
        return torch.clamp(grad_output * ctx.scale, -1, 1), None, None


class Exp(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x.exp(), x.detach() * 2

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output[0])
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx, grad_exp, grad_double):
        assert grad_double is None
        assert grad_exp is not None
        (result,) = ctx.saved_tensors
        return grad_exp * result


class GradReverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lambd):
        ctx.lambd = lambd
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.neg() * ctx.lambd, None


@program
def functions_of_many_kinds(record):
    features = torch.nn.Linear(6, 8)
    head = torch.nn.Linear(8, 2)
    domain = torch.nn.Linear(8, 1)
    record.start(features=features, head=head, domain=domain)
    parameters = [*features.parameters(), *head.parameters(), *domain.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.05, nesterov=True, momentum=0.9)
    x, y = torch.randn(12, 6), torch.randint(2, (12,))
    for _ in range(20):
        f = features(x)
        gate, _double = Exp.apply(-f.pow(2))
        f = f * gate + StraightThrough.apply(f, 0.1, 0.5)
        d = domain(GradReverse.apply(f, 0.3))
        loss = torch.nn.functional.cross_entropy(head(f), y)
        loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(d.squeeze(1), y.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        record.loss(loss.item())
    inputs = (torch.randn(3, dtype=torch.double, requires_grad=True),)
    record.note(checked=torch.autograd.gradcheck(LegendrePolynomial3.apply, inputs))


@program
def modules(record):
    x = torch.randn(N, D_in)
    y = torch.randn(N, D_out)
    model = torch.nn.Sequential(torch.nn.Linear(D_in, H), torch.nn.ReLU(), torch.nn.Linear(H, D_out)).to(
        device
    )
    record.start(model=model)
    loss_fn = torch.nn.MSELoss(reduction="sum")
    for _t in range(20):
        loss = loss_fn(model(x), y)
        record.loss(loss.item())
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for param in model.parameters():
                param.data -= 1e-3 * param.grad


@program
def optimisers(record):
    x = torch.randn(N, D_in)
    y = torch.randn(N, D_out)
    model = torch.nn.Sequential(torch.nn.Linear(D_in, H), torch.nn.ReLU(), torch.nn.Linear(H, D_out))
    record.start(model=model)
    loss_fn = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _t in range(20):
        loss = loss_fn(model(x), y)
        record.loss(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


class DynamicNet(torch.nn.Module):
    def __init__(self, D_in, H, D_out):
        super(DynamicNet, self).__init__()
        self.input_linear = torch.nn.Linear(D_in, H)
        self.middle_linear = torch.nn.Linear(H, H)
        self.output_linear = torch.nn.Linear(H, D_out)

    def forward(self, x):
        h_relu = self.input_linear(x).clamp(min=0)
        for _ in range(random.randint(0, 3)):
            h_relu = self.middle_linear(h_relu).clamp(min=0)
        return self.output_linear(h_relu)


@program
def networks_that_change(record):
    random.seed(3)
    x = torch.randn(N, D_in)
    y = torch.randn(N, D_out)
    model = DynamicNet(D_in, H, D_out)
    record.start(model=model)
    criterion = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    for _t in range(20):
        loss = criterion(model(x), y)
        record.loss(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@program
def second_order(record):
    """Newton's method, Hessian-vector products and a step through a step, as meta-learning takes."""
    x = torch.tensor([1.5, -0.5], dtype=torch.double, requires_grad=True)

    def rosenbrock(p):
        return (1 - p[0]) ** 2 + 10 * (p[1] - p[0] ** 2) ** 2

    for _ in range(8):
        value = rosenbrock(x)
        record.loss(value.item())
        (g,) = torch.autograd.grad(value, x, create_graph=True)
        rows = [torch.autograd.grad(g[i], x, retain_graph=True)[0] for i in range(2)]
        with torch.no_grad():
            x -= torch.linalg.solve(torch.stack(rows), g)
    record.note(least=x.detach(), hessian=torch.autograd.functional.hessian(rosenbrock, x.detach()))
    w = torch.randn(3, requires_grad=True)
    losses = []
    meta = torch.optim.SGD([w], lr=0.1)
    for task in range(5):
        target = torch.tensor([1.0, 2.0, 3.0]) * task / 5
        (g,) = torch.autograd.grad((w - target).pow(2).sum(), w, create_graph=True)
        adapted = w - 0.1 * g
        loss = (adapted - target).abs().sum()
        meta.zero_grad()
        loss.backward()
        meta.step()
        losses.append(loss.item())
    record.note(losses=losses)


@program
def micrograd(record):
    x = torch.Tensor([-4.0]).double()
    x.requires_grad = True
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    record.note(y=y.data.item(), xg=x.grad.item())
    a = torch.Tensor([-4.0]).double()
    b = torch.Tensor([2.0]).double()
    a.requires_grad = True
    b.requires_grad = True
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.backward()
    record.note(g=g.data.item(), ag=a.grad.item(), bg=b.grad.item())
