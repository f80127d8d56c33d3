"""What the programs here tell of themselves, so that two runs of one can be compared."""

import json
import sys

PROGRAMS = {}


def program(function):
    """Register a program: a function that is handed a Record."""
    PROGRAMS[function.__name__] = function
    return function


class Record:
    """Losses, names and sums of a model's first state, and whatever else is told."""

    def __init__(self):
        self.told = {"losses": [], "keys": {}, "before": {}, "notes": {}}

    def start(self, **models):
        """A model with its first weights."""
        for name, model in models.items():
            state = model.state_dict()
            self.told["keys"][name] = [
                [key, list(value.shape), str(value.dtype).rpartition(".")[2]] for key, value in state.items()
            ]
            self.told["before"][name] = self._sums(state)

    def loss(self, loss):
        """The loss of a step."""
        self.told["losses"].append(float(loss))

    def note(self, **values):
        """Numbers, texts, tensors, and lists of them, to be the same in both."""
        for name, value in values.items():
            assert name not in self.told["notes"], f"told twice: {name}"
            self.told["notes"][name] = value.tolist() if hasattr(value, "tolist") else value

    def end(self):
        """Everything, for JSON."""
        return self.told

    @staticmethod
    def _sums(state):
        return [[value.double().sum().item(), value.double().abs().sum().item()] for value in state.values()]


def main():
    """Run every program of the module that the command line names; print what they tell as JSON."""
    import importlib
    import traceback

    import torch

    torch.set_num_threads(1)
    importlib.import_module(sys.argv[1])
    told = {}
    for name, function in PROGRAMS.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        record = Record()
        torch.manual_seed(1337)
        try:
            function(record)
            told[name] = record.end()
        except Exception:
            told[name] = {"error": traceback.format_exc()}
    print(json.dumps(told))
