"""Steps of training in TensorFlow: one compiled function, as Keras makes it for `fit`."""

import common
import tensorflow as tf

args = common.arguments()
tf.config.threading.set_intra_op_parallelism_threads(args.threads)
tf.config.threading.set_inter_op_parallelism_threads(args.threads)
problem = args.problem

layers = tf.keras.layers
model = tf.keras.Sequential(
    [
        tf.keras.Input(problem["image"]),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10),
    ]
)
model.set_weights(common.weights(problem))
optimizer = tf.keras.optimizers.Adam(problem["learningRate"], epsilon=problem["epsilon"])
loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
inputs, labels = (tf.constant(array) for array in common.batches(problem))


@tf.function
def train(x, y):
    with tf.GradientTape() as tape:
        loss = loss_of(y, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


common.drive(args, lambda batch: float(train(inputs[batch], labels[batch])))
