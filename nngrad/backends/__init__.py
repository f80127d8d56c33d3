"""Switches of the libraries that PyTorch computes with. They can be set, and change nothing."""

from . import cuda as cuda, cudnn as cudnn, mkl as mkl, mkldnn as mkldnn, mps as mps, openmp as openmp
