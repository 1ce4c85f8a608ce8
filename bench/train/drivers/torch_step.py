"""Steps of training in PyTorch: `plain` as one writes it, `fast` with channels last and the fused optimiser."""

import common
import numpy as np
import torch
from torch import nn

args = common.arguments()
torch.set_num_threads(args.threads)
fast = args.what == "fast"
problem = args.problem

model = nn.Sequential(
    nn.Conv2d(3, 32, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(2304, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
)


def torch_weights():
    conv1, bias1, conv2, bias2, dense, bias3, logits, bias4 = common.weights(problem)
    # TensorFlow.js flattens [6, 6, 64], PyTorch [64, 6, 6].
    dense = dense.reshape(6, 6, 64, 64).transpose(2, 0, 1, 3).reshape(2304, 64)
    convs = [array.transpose(3, 2, 0, 1) for array in (conv1, conv2)]
    return [convs[0], bias1, convs[1], bias2, dense.T, bias3, logits.T, bias4]


with torch.no_grad():
    for parameter, array in zip(model.parameters(), torch_weights(), strict=True):
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))

inputs, labels = common.batches(problem)
pictures = torch.from_numpy(inputs).permute(0, 1, 4, 2, 3)
if fast:
    model = model.to(memory_format=torch.channels_last)  # a batch lies so already
else:
    pictures = pictures.contiguous()
classes = torch.from_numpy(labels.astype(np.int64))
settings = {"lr": problem["learningRate"], "eps": problem["epsilon"]}
optimizer = torch.optim.Adam(model.parameters(), **settings, **({"fused": True} if fast else {}))
loss_of = nn.CrossEntropyLoss()


def step(batch):
    optimizer.zero_grad()
    loss = loss_of(model(pictures[batch]), classes[batch])
    loss.backward()
    optimizer.step()
    return loss.item()


common.drive(args, step)
