"""Runs files in LiteRT: python litert.py JOBS.json

Each job names a model, a file with the elements of its input for a number of samples, and a prefix: the elements of the
first output go to PREFIX.reference and PREFIX.default, as the reference kernels and the default ones (XNNPACK) give
them. Prints one JSON object a job: the type of the output, or why there is none.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

KERNELS = {"reference": OpResolverType.BUILTIN_REF, "default": OpResolverType.AUTO}


def run(job, kernels):
    interpreter = Interpreter(model_path=job["model"], num_threads=1, experimental_op_resolver_type=KERNELS[kernels])
    interpreter.allocate_tensors()
    (port,) = interpreter.get_input_details()
    out = interpreter.get_output_details()[0]
    samples = np.fromfile(job["inputs"], port["dtype"]).reshape(job["count"], *port["shape"])
    with open(f"{job['prefix']}.{kernels}", "wb") as file:
        for sample in samples:
            interpreter.set_tensor(port["index"], sample)
            interpreter.invoke()
            file.write(interpreter.get_tensor(out["index"]).tobytes())
    return np.dtype(out["dtype"]).name


for job in json.loads(Path(sys.argv[1]).read_text()):
    said = {}
    for kernels in KERNELS:
        try:
            said[kernels] = {"dtype": run(job, kernels)}
        except (RuntimeError, ValueError) as error:  # what it refuses, the comparison reports
            said[kernels] = {"error": str(error).splitlines()[0]}
    print(json.dumps(said), flush=True)
