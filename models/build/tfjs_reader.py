"""Read a TensorFlow.js graph model: its nodes, and its weight shards as named numpy arrays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class TfjsGraph:
    """A frozen graph: `nodes` by name (GraphDef in JSON form), `weights` of the Const nodes."""

    nodes: dict[str, dict[str, Any]]
    weights: dict[str, npt.NDArray[Any]]


def read_tfjs_graph(model_json: Path) -> TfjsGraph:
    """Read `model.json` and the weight shards beside it.

    Raises:
        ValueError: the weights are quantised, or the shards are shorter or longer than announced.
    """
    model = json.loads(model_json.read_text(encoding="utf-8"))
    nodes = {node["name"]: node for node in model["modelTopology"]["node"]}
    weights: dict[str, npt.NDArray[Any]] = {}
    for group in model["weightsManifest"]:
        # A group's shards are one byte string: a weight may straddle two files.
        shards = b"".join((model_json.parent / path).read_bytes() for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            if "quantization" in entry:
                raise ValueError(f"{model_json}: weight {entry['name']} is quantised, not float32")
            dtype = np.dtype(entry["dtype"]).newbyteorder("<")
            count = int(np.prod(entry["shape"], dtype=np.int64))
            if offset + count * dtype.itemsize > len(shards):
                raise ValueError(f"{model_json}: shards end before weight {entry['name']}")
            values = np.frombuffer(shards, dtype, count, offset)
            weights[entry["name"]] = values.reshape(entry["shape"]).astype(entry["dtype"])
            offset += count * dtype.itemsize
        if offset != len(shards):
            raise ValueError(
                f"{model_json}: shards hold {len(shards)} bytes, weights announce {offset}"
            )
    return TfjsGraph(nodes, weights)
