"""One ONNX model in ONNX Runtime, on the processor."""

import common
import numpy as np
import onnxruntime

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}

args = common.arguments()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = args.threads
options.inter_op_num_threads = 1
options.log_severity_level = 3
session = onnxruntime.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])
feed = {}
for seed, info in enumerate(session.get_inputs(), 1):
    shape = [extent if isinstance(extent, int) else 1 for extent in info.shape]
    feed[info.name] = common.numbers(seed, shape, DTYPES[info.type])
common.finish(args, session.run(None, feed), lambda: session.run(None, feed))
