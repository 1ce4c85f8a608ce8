"""What the Python drivers share: arguments, inputs, timing, and the one JSON line that they print."""

import argparse
import json
import time

import numpy as np

WARM_UP_SECONDS = 0.3
LEAST_BATCH_SECONDS = 0.0005


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--output", help="file for the elements of all outputs")
    parser.add_argument("--reference", action="store_true", help="reference kernels, where there are some")
    return parser.parse_args()


def numbers(seed, shape, dtype):
    """The rule of inputs.ts: the same numbers for every contender."""
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        h = (np.arange(count, dtype=np.uint32) + np.uint32(1)) * np.uint32(0x9E3779B1) + np.uint32(seed * 40503)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x045D9F3B)
        h ^= h >> np.uint32(16)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        values = (h >> np.uint32(8)).astype(np.float64) / 2**23 - 1
    elif dtype.kind == "b" or dtype.itemsize > 2:
        values = h & np.uint32(1)
    else:
        values = (h & np.uint32(0xFFFF)).astype(np.uint16).astype(dtype)
    return values.astype(dtype).reshape(shape)


def measure(run, seconds):
    """Milliseconds of one run: samples are batches of at least half a millisecond, after a warm-up."""
    clock = time.perf_counter
    batch, end = 1, clock() + WARM_UP_SECONDS
    while True:
        start = clock()
        for _ in range(batch):
            run()
        now = clock()
        if now - start < LEAST_BATCH_SECONDS:
            batch *= 2
        elif now >= end:
            break
    times, end = [], clock() + seconds
    while not times or clock() < end:
        start = clock()
        for _ in range(batch):
            run()
        times.append((clock() - start) / batch * 1000)
    times.sort()
    return {"minMs": times[0], "medianMs": times[len(times) // 2], "samples": len(times)}


def finish(args, outputs, run):
    """Writes the outputs of the first run, then times more of them if that is wanted; prints the result."""
    arrays = [np.ascontiguousarray(output) for output in outputs]
    if args.output:
        with open(args.output, "wb") as file:
            for array in arrays:
                file.write(array.tobytes())
    result = {"outputs": [{"dtype": array.dtype.name, "count": array.size} for array in arrays]}
    if args.seconds > 0:
        result.update(measure(run, args.seconds))
    print(json.dumps(result))
