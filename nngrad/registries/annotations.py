"""Names of types under which TorchScript's annotations know them."""

from typing import Dict as Dict, List as List, Optional as Optional, Tuple as Tuple  # noqa: UP035

from ..jit import (
    BroadcastingList1 as BroadcastingList1,
    BroadcastingList2 as BroadcastingList2,
    BroadcastingList3 as BroadcastingList3,
)
