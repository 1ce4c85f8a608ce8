"""What the Python drivers share: arguments, the problem's numbers, timing, and the one JSON line that they print."""

import argparse
import importlib.util
import json
import time
from pathlib import Path

import numpy as np

# The rule of all numbers stands beside the drivers of bench:peers.
_file = Path(__file__).parents[2] / "peers/drivers/common.py"
_spec = importlib.util.spec_from_file_location("peers_common", _file)
_peers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_peers)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("what")
    parser.add_argument("--problem", type=json.loads)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--checked", type=int)
    parser.add_argument("--warm-up", type=float)
    parser.add_argument("--seconds", type=float)
    return parser.parse_args()


def weights(problem):
    """The first weights, as TensorFlow.js has them."""
    drawn = enumerate(problem["weights"], 1)
    return [
        (_peers.numbers(seed, one["shape"], "float32").astype(np.float64) * one["limit"]).astype(np.float32)
        for seed, one in drawn
    ]


def batches(problem):
    count = problem["batches"], problem["batch"]
    inputs = _peers.numbers(101, [*count, *problem["image"]], "float32")
    labels = _peers.numbers(102, count, "uint8") % problem["classes"]
    return inputs, labels.astype(np.int32)


def drive(args, step):
    """Checked steps, warm-up, timed steps; step(batch) trains on a batch and gives its loss before."""
    done = 0

    def run():
        nonlocal done
        batch = 0 if done < args.checked else done % args.problem["batches"]
        done += 1
        return step(batch)

    def timed(seconds):
        times = []
        now = time.perf_counter()
        end = now + seconds
        while True:
            start = now
            run()
            now = time.perf_counter()
            times.append((now - start) * 1000)
            if now >= end:
                return times

    losses = [float(run()) for _ in range(args.checked)]
    timed(args.warm_up)
    times = np.array(timed(args.seconds))
    figures = {"minMs": times.min(), "medianMs": float(np.median(times)), "samples": len(times)}
    print(json.dumps({"losses": losses, **figures}))
