"""Quantises the float models with ai-edge-quantizer, or with TensorFlow's calibrator, on the samples of samples.py.

    python bench/quantize/peers.py aeq|tf --float FOLDER --samples FOLDER --out FOLDER [--only NAME]

--float holds the models of models.json; hybrid ones dequantised. Each goes to OUT/MODEL.TOOL-METHOD.tflite; what a tool
refuses is said and left out. The two tools may need environments of their own.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np


def aeq(model, samples):
    """ai-edge-quantizer's own recipes."""
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import algorithm_manager, quantizer, recipe

    interpreter = Interpreter(model_path=str(model))
    signatures = interpreter.get_signature_list()
    key = next(iter(signatures), None)
    name = signatures[key]["inputs"][0] if key else interpreter.get_input_details()[0]["name"]
    data = {key: [{name: sample[None]} for sample in samples]}

    def with_recipe(wanted):
        tool = quantizer.Quantizer(str(model), wanted)
        ranges = tool.calibrate(data, num_threads=2) if tool.need_calibration else None
        return bytes(tool.quantize(ranges).quantized_model)

    yield "int8", lambda: with_recipe(recipe.static_wi8_ai8())
    yield "int16x8", lambda: with_recipe(recipe.static_wi8_ai16())
    yield "dynamic8", lambda: with_recipe(recipe.dynamic_wi8_afp32())
    yield "dynamic4", lambda: with_recipe(recipe.dynamic_wi4_afp32())
    yield "weights8", lambda: with_recipe(recipe.weight_only_wi8_afp32())
    yield "weights4", lambda: with_recipe(recipe.weight_only_wi4_afp32())
    for algorithm in (algorithm_manager.AlgorithmName.MSE, algorithm_manager.AlgorithmName.OCTAV):
        name = f"weights4-{algorithm.name.lower()}"
        yield name, lambda algorithm=algorithm: with_recipe(recipe.weight_only_wi4_afp32(algorithm))


def tf(model, samples):
    """The quantiser behind the TFLite converter's representative dataset."""
    import tensorflow as tensorflow
    from tensorflow.lite.python.optimize.calibrator import Calibrator

    def full(activations, bias):
        def dataset():
            for sample in samples:
                yield [sample[None]]

        return bytes(
            Calibrator(model.read_bytes()).calibrate_and_quantize(
                dataset, activations, activations, False, activations, bias, resize_input=False
            )
        )

    yield "int8", lambda: full(tensorflow.int8, tensorflow.int32)
    yield "int16x8", lambda: full(tensorflow.int16, tensorflow.int64)


parser = argparse.ArgumentParser()
parser.add_argument("tool", choices=("aeq", "tf"))
parser.add_argument("--float", type=Path, required=True)
parser.add_argument("--samples", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--only", default="", help="a part of the models' names")
parser.add_argument("--methods", default="", help="a part of the methods' names")
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)
for entry in json.loads((Path(__file__).parent / "models.json").read_text()):
    if args.only not in entry["name"]:
        continue
    samples = np.load(args.samples / f"{entry['samples']}.calibration.npy")
    for method, make in {"aeq": aeq, "tf": tf}[args.tool](args.float / f"{entry['file']}.tflite", samples):
        if args.methods not in method:
            continue
        start = time.monotonic()
        try:
            made = make()
        except Exception as error:  # a refusal is a result of this comparison
            print(f"{entry['name']} {args.tool}-{method}: refused: {str(error).splitlines()[0][:160]}", flush=True)
            continue
        (args.out / f"{entry['name']}.{args.tool}-{method}.tflite").write_bytes(made)
        print(f"{entry['name']} {args.tool}-{method}: {len(made)} bytes, {time.monotonic() - start:.1f} s", flush=True)
