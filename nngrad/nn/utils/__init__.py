"""What is done to the parameters of modules, and to sequences on their way into them."""

from . import rnn as rnn
