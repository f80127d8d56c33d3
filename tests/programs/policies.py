"""Policy gradients: REINFORCE and actor-critic on a cart and pole of our own; a network of Q-values."""

import math
import random
from collections import deque, namedtuple
from itertools import count

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from recording import program
from torch.distributions import Beta, Categorical, Normal, kl_divergence


class CartPole:
    """A pole on a cart: the state is two places and two speeds; 1 for each step that it stands."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def reset(self):
        self.state = [self.random.uniform(-0.05, 0.05) for _ in range(4)]
        return self.state

    def step(self, action):
        x, v, angle, spin = self.state
        force = 10.0 if action else -10.0
        push = (force + 0.05 * spin * spin * math.sin(angle)) / 1.1
        turn = (9.8 * math.sin(angle) - math.cos(angle) * push) / (
            0.5 * (4.0 / 3.0 - 0.1 * math.cos(angle) ** 2 / 1.1)
        )
        slide = push - 0.05 * turn * math.cos(angle) / 1.1
        self.state = [x + 0.02 * v, v + 0.02 * slide, angle + 0.02 * spin, spin + 0.02 * turn]
        return self.state, 1.0, abs(self.state[0]) > 2.4 or abs(self.state[2]) > 0.21


eps = 1.1920929e-07


class Policy(nn.Module):
    def __init__(self):
        super(Policy, self).__init__()
        self.affine1 = nn.Linear(4, 32)
        self.dropout = nn.Dropout(p=0.6)
        self.affine2 = nn.Linear(32, 2)
        self.saved_log_probs = []
        self.rewards = []

    def forward(self, x):
        x = self.affine1(x)
        x = self.dropout(x)
        x = F.relu(x)
        action_scores = self.affine2(x)
        return F.softmax(action_scores, dim=1)


@program
def reinforce(record):
    env = CartPole(543)
    torch.manual_seed(543)
    policy = Policy()
    record.start(policy=policy)
    optimizer = optim.Adam(policy.parameters(), lr=1e-2)
    running_reward = 10

    def select_action(state):
        state = torch.tensor(state).float().unsqueeze(0)
        probs = policy(state)
        m = Categorical(probs)
        action = m.sample()
        policy.saved_log_probs.append(m.log_prob(action))
        return action.item()

    for _i_episode in range(20):
        state, ep_reward = env.reset(), 0
        for _t in range(1, 100):
            action = select_action(state)
            state, reward, done = env.step(action)
            policy.rewards.append(reward)
            ep_reward += reward
            if done:
                break
        running_reward = 0.05 * ep_reward + (1 - 0.05) * running_reward
        R = 0
        policy_loss = []
        returns = deque()
        for r in policy.rewards[::-1]:
            R = r + 0.99 * R
            returns.appendleft(R)
        returns = torch.tensor(returns)
        returns = (returns - returns.mean()) / (returns.std() + eps)
        for log_prob, R in zip(policy.saved_log_probs, returns):
            policy_loss.append(-log_prob * R)
        optimizer.zero_grad()
        policy_loss = torch.cat(policy_loss).sum()
        policy_loss.backward()
        optimizer.step()
        del policy.rewards[:]
        del policy.saved_log_probs[:]
        record.loss(policy_loss.item())
    record.note(running_reward=running_reward)


SavedAction = namedtuple("SavedAction", ["log_prob", "value"])


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 32)
        self.action_head = nn.Linear(32, 2)
        self.value_head = nn.Linear(32, 1)
        self.saved_actions = []
        self.rewards = []

    def forward(self, x):
        x = F.relu(self.affine1(x))
        action_prob = F.softmax(self.action_head(x), dim=-1)
        state_values = self.value_head(x)
        return action_prob, state_values


@program
def actor_critic(record):
    env = CartPole(1)
    model = ActorCritic()
    record.start(model=model)
    optimizer = optim.Adam(model.parameters(), lr=3e-2)
    lengths = []
    for _episode in range(20):
        state = env.reset()
        for t in count():
            probs, state_value = model(torch.tensor(state).float())
            m = Categorical(probs)
            action = m.sample()
            model.saved_actions.append(SavedAction(m.log_prob(action), state_value))
            state, reward, done = env.step(action.item())
            model.rewards.append(reward)
            if done or t > 60:
                break
        lengths.append(t)
        R = 0
        policy_losses = []
        value_losses = []
        returns = []
        for r in model.rewards[::-1]:
            R = r + 0.99 * R
            returns.insert(0, R)
        returns = torch.tensor(returns)
        returns = (returns - returns.mean()) / (returns.std() + eps)
        for (log_prob, value), R in zip(model.saved_actions, returns):
            advantage = R - value.item()
            policy_losses.append(-log_prob * advantage)
            value_losses.append(F.smooth_l1_loss(value, torch.tensor([R])))
        optimizer.zero_grad()
        loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
        loss.backward()
        optimizer.step()
        del model.rewards[:]
        del model.saved_actions[:]
        record.loss(loss.item())
    record.note(lengths=lengths)


Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


@program
def deep_q_learning(record):
    random.seed(0)
    env = CartPole(2)

    class DQN(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer1 = nn.Linear(4, 24)
            self.layer2 = nn.Linear(24, 2)

        def forward(self, x):
            return self.layer2(F.relu(self.layer1(x)))

    policy_net, target_net = DQN(), DQN()
    target_net.load_state_dict(policy_net.state_dict())
    record.start(policy_net=policy_net, target_net=target_net)
    optimizer = optim.AdamW(policy_net.parameters(), lr=1e-3, amsgrad=True)
    memory = deque([], maxlen=200)
    state = torch.tensor(env.reset(), dtype=torch.float32).unsqueeze(0)
    for step in range(40):
        if random.random() > 0.5:
            with torch.no_grad():
                action = policy_net(state).max(1).indices.view(1, 1)
        else:
            action = torch.tensor([[random.randrange(2)]], dtype=torch.long)
        observation, reward, terminated = env.step(action.item())
        next_state = None if terminated else torch.tensor(observation, dtype=torch.float32).unsqueeze(0)
        memory.append(Transition(state, action, next_state, torch.tensor([reward])))
        state = torch.tensor(env.reset()).unsqueeze(0) if terminated else next_state
        if step < 20:
            continue
        batch = Transition(*zip(*random.sample(memory, 16)))
        mask = torch.tensor(tuple(map(lambda s: s is not None, batch.next_state)), dtype=torch.bool)
        following = torch.cat([s for s in batch.next_state if s is not None])
        values = policy_net(torch.cat(batch.state)).gather(1, torch.cat(batch.action))
        next_values = torch.zeros(16)
        with torch.no_grad():
            next_values[mask] = target_net(following).max(1).values
        expected = (next_values * 0.99) + torch.cat(batch.reward)
        loss = nn.SmoothL1Loss()(values, expected.unsqueeze(1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
        optimizer.step()
        target, online = target_net.state_dict(), policy_net.state_dict()
        for key in online:
            target[key] = online[key] * 0.005 + target[key] * (1 - 0.005)
        target_net.load_state_dict(target)
        record.loss(loss.item())
    record.note(target=target_net.layer1.weight.detach().sum().item())


@program
def clipped_policies_of_continuous_actions(record):
    actor = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1))
    critic = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1))
    log_std = nn.Parameter(torch.full((1,), -0.5))
    for layer in [*actor, *critic]:
        if isinstance(layer, nn.Linear):
            nn.init.orthogonal_(layer.weight, math.sqrt(2))
            nn.init.constant_(layer.bias, 0.0)
    record.start(actor=actor, critic=critic)
    optimizer = optim.Adam(
        [{"params": [*actor.parameters(), log_std]}, {"params": critic.parameters(), "lr": 1e-2}]
    )
    state = torch.randn(64, 3)
    with torch.no_grad():
        old = Normal(actor(state), log_std.exp())
        action = old.sample()
        old_log_prob = old.log_prob(action)
        returns = -((action - state.sum(1, keepdim=True)) ** 2)
    for _ in range(20):
        dist = Normal(actor(state), log_std.exp().expand(64, 1))
        value = critic(state)
        advantage = (returns - value).detach()
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        ratio = (dist.log_prob(action) - old_log_prob).exp()
        clipped = torch.min(ratio * advantage, torch.clamp(ratio, 0.8, 1.2) * advantage)
        loss = -clipped.mean() + 0.5 * F.mse_loss(value, returns) - 0.01 * dist.entropy().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([*actor.parameters(), log_std], 0.5)
        optimizer.step()
        record.loss(loss.item())
    with torch.no_grad():
        drawn = Beta(torch.tensor([2.0]), torch.tensor([3.0])).log_prob(torch.tensor([0.3]))
        record.note(drift=kl_divergence(old, dist).mean().item(), beta=drawn)
