"""Trains a small image classifier on CIFAR-10 and writes it as a full-integer int8 .tflite file.

Reads the binary batches of CIFAR-10 (data_batch_1.bin .. data_batch_5.bin, test_batch.bin; records
of 3,073 bytes: the label, then 32x32 bytes of red, of green, of blue). The network is a small
residual one: seven 3x3 convolutions (two of stride 2, four in two residual blocks), batch norm
(multiplied into the weights at the end), ReLU, mean over the picture, fully connected, softmax.
Its input is pixel / 255, so the int8 code of a pixel is pixel - 128. Prints the accuracy on the
test pictures in float and in int8.

    python train_cifar10.py --data FOLDER_WITH_BATCHES --out cifar10.tflite

Residual networks: He et al. 2016, "Deep Residual Learning for Image Recognition". Data: Krizhevsky
2009, "Learning Multiple Layers of Features from Tiny Images".
"""

import argparse
import hashlib
import os
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import flatbuffers
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tensorflow.lite.python import schema_py_generated as schema

LABELS = "airplane automobile bird cat deer dog frog horse ship truck".split()
CONVS = "stem down1 block1_conv1 block1_conv2 down2 block2_conv1 block2_conv2".split()
SIDE = 32  # pixels, width and height of a picture
BORDER = 4  # pixels a training picture is shifted at most, each way


def read_batches(folder, names):
    """Pictures as uint8 [n, 32, 32, 3] (R, G, B) and labels as int32 [n] of the named batches."""
    records = np.concatenate([np.fromfile(os.path.join(folder, n), np.uint8) for n in names])
    records = records.reshape(-1, 1 + 3 * SIDE * SIDE)
    pictures = records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(pictures), records[:, 0].astype(np.int32)


def conv(x, channels, name, stride=1, relu=True):
    """3x3 convolution and batch norm, then ReLU where wanted."""
    x = layers.Conv2D(channels, 3, stride, "same", use_bias=False, name=name,
                      kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-4, name=name + "_norm")(x)
    return layers.ReLU(name=name + "_relu")(x) if relu else x


def residual(x, channels, name):
    """ReLU(x + two convolutions of x)."""
    y = conv(x, channels, name + "_conv1")
    y = conv(y, channels, name + "_conv2", relu=False)
    return layers.ReLU(name=name + "_relu")(layers.Add(name=name + "_add")([x, y]))


def build(width):
    """The network; its outputs are logits. `width`: channels of the first convolution."""
    x = picture = keras.Input((SIDE, SIDE, 3), name="picture")
    x = conv(x, width, "stem")
    x = conv(x, 2 * width, "down1", stride=2)
    x = residual(x, 2 * width, "block1")
    x = conv(x, 4 * width, "down2", stride=2)
    x = residual(x, 4 * width, "block2")
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(len(LABELS), name="logits")(x)
    return keras.Model(picture, x, name="cifar10")


def augment(pictures, rng):
    """Float32 pictures in 0..1, each shifted by up to BORDER pixels and mirrored half the time."""
    n = len(pictures)
    edge = ((0, 0), (BORDER, BORDER), (BORDER, BORDER), (0, 0))
    padded = np.pad(pictures, edge, mode="reflect")
    shifts = rng.integers(0, 2 * BORDER + 1, (n, 2))
    mirrored = rng.random(n) < 0.5
    out = np.empty((n, SIDE, SIDE, 3), np.float32)
    for i, (dy, dx) in enumerate(shifts):
        cut = padded[i, dy:dy + SIDE, dx:dx + SIDE]
        out[i] = cut[:, ::-1] if mirrored[i] else cut
    return out / 255


def learning_rate(step, steps, peak):
    """Linear rise to `peak` over the first fifth of the steps, linear fall to 0 over the rest."""
    rise = 0.2 * steps
    return peak * min((step + 1) / rise, (steps - step) / (steps - rise))


def train(model, pictures, labels, args):
    """Stochastic gradient descent with Nesterov momentum on the cross entropy."""
    optimizer = keras.optimizers.SGD(args.rate, momentum=0.9, nesterov=True)
    optimizer.build(model.trainable_variables)
    kernels = [v for v in model.trainable_variables if v.path.endswith("kernel")]

    @tf.function
    def step(x, y, rate):
        optimizer.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            wanted = keras.losses.categorical_crossentropy(
                tf.one_hot(y, len(LABELS)), logits, from_logits=True,
                label_smoothing=args.smoothing)
            loss = tf.reduce_mean(wanted)
            decay = tf.add_n([tf.nn.l2_loss(k.value) for k in kernels])
            total = loss + args.decay * decay
        grads = tape.gradient(total, model.trainable_variables)
        optimizer.apply(grads, model.trainable_variables)
        return loss

    rng = np.random.default_rng(args.seed)
    per_epoch = len(pictures) // args.batch
    steps = per_epoch * args.epochs
    begin = time.time()
    for epoch in range(args.epochs):
        order = rng.permutation(len(pictures))
        losses = []
        for i in range(per_epoch):
            rate = learning_rate(epoch * per_epoch + i, steps, args.rate)
            pick = order[i * args.batch:(i + 1) * args.batch]
            x = augment(pictures[pick], rng)
            y = tf.constant(labels[pick])
            losses.append(step(tf.constant(x), y, tf.constant(rate, tf.float32)))
        print(f"epoch {epoch + 1}/{args.epochs}  loss {np.mean(losses):.4f}  "
              f"{time.time() - begin:.0f} s", flush=True)


def float_accuracy(model, pictures, labels):
    """Share of pictures whose largest logit is the right one."""
    forward = tf.function(lambda x: model(x, training=False))
    right = 0
    for i in range(0, len(pictures), 500):
        logits = forward(tf.constant(pictures[i:i + 500].astype(np.float32) / 255))
        right += np.sum(np.argmax(logits, 1) == labels[i:i + 500])
    return right / len(pictures)


def fold(model, name):
    """Kernel and bias of the convolution `name` with its batch norm multiplied in (float32)."""
    kernel = model.get_layer(name).get_weights()[0]
    norm = model.get_layer(name + "_norm")
    gamma, beta, mean, variance = norm.get_weights()
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return kernel * factor, beta - mean * factor


def quantise(model, pictures):
    """The model with softmax as an int8 .tflite; value ranges are taken from `pictures` (uint8)."""

    folded = {n: fold(model, n) for n in CONVS}
    weights, bias = model.get_layer("logits").get_weights()

    def conv_folded(x, name, stride=1):
        kernel, bias = folded[name]
        return tf.nn.bias_add(tf.nn.conv2d(x, kernel, stride, "SAME"), bias)

    def residual_folded(x, name):
        y = tf.nn.relu(conv_folded(x, name + "_conv1"))
        return tf.nn.relu(x + conv_folded(y, name + "_conv2"))

    @tf.function(input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32, name="picture")])
    def classify(picture):
        x = tf.nn.relu(conv_folded(picture, "stem"))
        x = residual_folded(tf.nn.relu(conv_folded(x, "down1", 2)), "block1")
        x = residual_folded(tf.nn.relu(conv_folded(x, "down2", 2)), "block2")
        logits = tf.matmul(tf.reduce_mean(x, (1, 2)), weights) + bias
        return {"probabilities": tf.nn.softmax(logits)}

    module = tf.Module()
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={"classify": classify})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["classify"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [p[None].astype(np.float32) / 255] for p in pictures)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        # one scale for the fully connected weights: older readers know no other
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
        return converter.convert()


def tidy(content):
    """The .tflite file `content` with readable tensor names, without metadata and empty buffers."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    activations = iter(CONVS[:4] + ["block1"] + CONVS[4:] + ["block2", "mean", "logits",
                                                             "probabilities"])
    graph.name = "cifar10"
    model.description = "CIFAR-10 classifier, int8"
    graph.tensors[graph.inputs[0]].name = "picture"
    for operator in graph.operators:
        name = next(activations)
        graph.tensors[operator.outputs[0]].name = name
        constants = [i for i in operator.inputs if i >= 0 and model.buffers[
            graph.tensors[i].buffer].data is not None]
        kinds = ["axes"] if name == "mean" else ["weights", "bias"]
        for i, kind in zip(constants, kinds):
            graph.tensors[i].name = f"{name}/{kind}"
    model.metadata, model.metadataBuffer = [], []
    buffers = model.buffers[:1]  # buffer 0 is the empty one of all activations
    for tensor in graph.tensors:
        if model.buffers[tensor.buffer].data is None:
            tensor.buffer = 0
        else:
            buffers.append(model.buffers[tensor.buffer])
            tensor.buffer = len(buffers) - 1
    model.buffers = buffers
    schema.BufferT.Pack = pack_buffer
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def pack_buffer(buffer, builder):
    """Writes one buffer of the file with its data on a multiple of 16 bytes, as the schema asks."""
    data = None
    if buffer.data is not None:
        raw = np.asarray(buffer.data, np.uint8).tobytes()
        builder.StartVector(1, len(raw), 16)
        builder.head = builder.head - len(raw)
        builder.Bytes[builder.head:builder.head + len(raw)] = raw
        data = builder.EndVector()
    schema.BufferStart(builder)
    if data is not None:
        schema.BufferAddData(builder, data)
    return schema.BufferEnd(builder)


def int8_accuracy(content, pictures, labels, resolver):
    """Share of pictures that the .tflite file `content` names right; one picture at a time."""
    runner = tf.lite.Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    runner.allocate_tensors()
    source = runner.get_input_details()[0]["index"]
    target = runner.get_output_details()[0]["index"]
    codes = (pictures.astype(np.int16) - 128).astype(np.int8)
    right = 0
    for picture, label in zip(codes, labels):
        runner.set_tensor(source, picture[None])
        runner.invoke()
        right += np.argmax(runner.get_tensor(target)) == label
    return right / len(pictures)


def main():
    parser = argparse.ArgumentParser(description="Trains an int8 CIFAR-10 classifier.")
    parser.add_argument("--data", required=True, help="folder with the binary batches")
    parser.add_argument("--out", required=True, help="the .tflite file to write")
    parser.add_argument("--weights", help="file of trained weights (*.weights.h5): read if it is "
                        "there, else written after training")
    parser.add_argument("--epochs", type=int, default=28)
    parser.add_argument("--batch", type=int, default=128, help="pictures a step")
    parser.add_argument("--width", type=int, default=24, help="channels of the first convolution")
    parser.add_argument("--rate", type=float, default=0.1, help="largest learning rate")
    parser.add_argument("--decay", type=float, default=3e-4, help="weight decay of the kernels")
    parser.add_argument("--smoothing", type=float, default=0.05, help="label smoothing")
    parser.add_argument("--calibration", type=int, default=500,
                        help="training pictures to take the value ranges from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(args.seed)

    pictures, labels = read_batches(args.data, [f"data_batch_{i}.bin" for i in range(1, 6)])
    test = read_batches(args.data, ["test_batch.bin"])
    model = build(args.width)
    print(f"{model.count_params()} parameters")
    if args.weights and os.path.exists(args.weights):
        model.load_weights(args.weights)
    else:
        train(model, pictures, labels, args)
        if args.weights:
            model.save_weights(args.weights)
    print(f"test accuracy, float: {float_accuracy(model, *test):.2%}", flush=True)

    chosen = np.random.default_rng(args.seed).choice(len(pictures), args.calibration, False)
    content = tidy(quantise(model, pictures[chosen]))
    with open(args.out, "wb") as file:
        file.write(content)
    print(f"{args.out}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
    kinds = tf.lite.experimental.OpResolverType
    print(f"test accuracy, int8, optimised kernels: "
          f"{int8_accuracy(content, *test, kinds.AUTO):.2%}", flush=True)
    print(f"test accuracy, int8, reference kernels: "
          f"{int8_accuracy(content, *test, kinds.BUILTIN_REF):.2%}")


if __name__ == "__main__":
    main()
