"""One .tflite model in LiteRT: XNNPACK's kernels, or with --reference the reference ones."""

import common
from ai_edge_litert.interpreter import Interpreter, OpResolverType

args = common.arguments()
resolver = OpResolverType.BUILTIN_REF if args.reference else OpResolverType.AUTO
interpreter = Interpreter(
    model_path=args.model, num_threads=args.threads, experimental_op_resolver_type=resolver
)
interpreter.allocate_tensors()
for seed, info in enumerate(interpreter.get_input_details(), 1):
    interpreter.set_tensor(info["index"], common.numbers(seed, info["shape"], info["dtype"]))
interpreter.invoke()
outputs = [interpreter.get_tensor(info["index"]) for info in interpreter.get_output_details()]
common.finish(args, outputs, interpreter.invoke)
