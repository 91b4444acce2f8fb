"""What torch's operations allocate, and how many bytes are alive at once."""

import weakref
from collections import Counter
from typing import Any

import torch
from torch import Tensor
from torch.autograd.profiler import profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from experiments.benchmarks.timing import Work


def allocations(work: Work) -> list[int]:
    """Return the bytes that each operation of `work` allocated and did not free at once, from torch's profiler."""
    with torch.no_grad(), profile(profile_memory=True) as profiled:
        work()
    return [event.self_cpu_memory_usage for event in profiled.function_events if event.self_cpu_memory_usage > 0]


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of storages that operations returned and a tensor still refers to: `now`, and their `peak`."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._references: Counter[int] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and count the storages of its results."""
        result = func(*args, **(kwargs or {}))
        tensors = (value for value in tree_leaves(result) if isinstance(value, Tensor))
        for tensor in {id(tensor): tensor for tensor in tensors}.values():
            storage = tensor.untyped_storage()
            if storage.nbytes():
                self._add(tensor, storage.data_ptr(), storage.nbytes())
        return result

    def _add(self, tensor: Tensor, address: int, size: int) -> None:
        if not self._references[address]:
            self.now += size
            self.peak = max(self.peak, self.now)
        self._references[address] += 1
        weakref.finalize(tensor, self._remove, address, size)

    def _remove(self, address: int, size: int) -> None:
        self._references[address] -= 1
        if not self._references[address]:
            self.now -= size
