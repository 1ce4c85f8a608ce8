"""Samples for quantising and for measuring, as .npy files of what each model takes.

    python bench/quantize/samples.py --shared ../shared --out FOLDER

SET.calibration.npy is what ranges and repairs see; SET.check.npy is what is measured and shares no picture, no recording
and no window with it; SET.labels.npy are the right answers of the latter, where there are some. All float32, first
dimension the samples.
"""

import argparse
from pathlib import Path

import brotli
import numpy as np
from PIL import Image

CHECKED_PHOTOS = ("cat.png", "grace_hopper.png", "hot_dog.jpg", "parrot.jpg")
NO_PHOTOS = ("bird_segmentation_mask.png", "mnist_nine.png")


def unpack(path, channels, side):
    """Undoes `.med.br`: brotli over planes G, R-G, B-G (or one) of residuals of the median edge predictor."""
    bytes_ = np.frombuffer(brotli.decompress(path.read_bytes()), np.uint8)
    planes = bytes_.reshape(channels, -1, side, side).copy()
    for y in range(side):
        for x in range(side):
            if x > 0 and y > 0:
                left, up = planes[:, :, y, x - 1], planes[:, :, y - 1, x]
                low, high = np.minimum(left, up), np.maximum(left, up)
                guess = np.clip(left.astype(int) + up - planes[:, :, y - 1, x - 1], low, high)
            elif x > 0:
                guess = planes[:, :, y, x - 1]
            elif y > 0:
                guess = planes[:, :, y - 1, x]
            else:
                continue
            planes[:, :, y, x] += guess.astype(np.uint8)
    if channels == 3:
        planes = np.stack([planes[1] + planes[0], planes[0], planes[2] + planes[0]])
    return np.moveaxis(planes, 0, -1)


def crops(photos, names, side, count, seed):
    """Square cuts of 40 to 100 % of a photo's shorter edge, half of them mirrored; values 0 to 1."""
    random = np.random.default_rng(seed)
    pictures = [Image.open(photos / name).convert("RGB") for name in names]
    cuts = []
    for i in range(count):
        picture = pictures[i % len(pictures)]
        edge = int(min(picture.size) * random.uniform(0.4, 1))
        left, top = (int(random.integers(0, extent - edge + 1)) for extent in picture.size)
        cut = picture.crop((left, top, left + edge, top + edge)).resize((side, side), Image.BILINEAR)
        pixels = np.asarray(cut, np.float32) / 255
        cuts.append(pixels[:, ::-1] if random.random() < 0.5 else pixels)
    return np.stack(cuts)


def cifar(data):
    folder = data / "cifar10"
    train = [unpack(folder / f"train_{i}.rgb.med.br", 3, 32)[:100] for i in range(1, 6)]
    labels = np.frombuffer((folder / "test.labels.bin").read_bytes(), np.uint8)
    yield "cifar10", np.concatenate(train), unpack(folder / "test.rgb.med.br", 3, 32), labels


def mnist(data):
    folder = data / "mnist"
    train, test = (unpack(folder / f"{name}.med.br", 1, 28) for name in ("train12000", "test3000"))
    labels = np.frombuffer((folder / "test3000.labels.bin").read_bytes(), np.uint8)
    yield "mnist", train[:200] / 255, test / 255, labels
    yield "mnist_rows", train[:200, :, :, 0] / 255, test[..., 0] / 255, labels


def keywords(data):
    """There are no other recordings than the 1,000 that are measured: each half is calibrated with the other one."""
    folder = data / "kws01"
    codes = np.frombuffer((folder / "kws01_mfcc.i8.bin").read_bytes(), np.int8).reshape(-1, 49, 10, 1)
    values = (codes.astype(np.float32) - 83) * np.float32(0.5847029089927673)
    lines = (folder / "y_labels.csv").read_text().split()
    labels = np.array([int(line.split(",")[2]) for line in lines], np.uint8)
    yield "kws_even", values[1:400:2], values[0::2], labels[0::2]
    yield "kws_odd", values[0:400:2], values[1::2], labels[1::2]


def machine(data):
    """Windows of five slices of one spectrogram; those that are measured begin after the last calibrated slice."""
    file = data / "ad01" / "normal_id_01_00000000_hist_librosa.bin"
    slices = np.frombuffer(file.read_bytes(), np.float32).reshape(200, 128)
    windows = np.stack([slices[i : i + 5].reshape(-1) for i in range(196)])
    yield "ad01", windows[:100], windows[104:], None


def photos(data):
    folder = data / "photos"
    names = sorted(path.name for path in folder.iterdir() if path.name not in NO_PHOTOS)
    seen = [name for name in names if name not in CHECKED_PHOTOS]
    for name, side, count, signed in (("vww", 96, 100, False), ("mobilenet", 224, 40, True), ("deeplab", 257, 16, True)):
        values = [crops(folder, seen, side, 100, 1), crops(folder, CHECKED_PHOTOS, side, count, 2)]
        yield name, *(2 * v - 1 if signed else v for v in values), None


def waves(_):
    random = np.random.default_rng(1)
    yield "hello_world", *(random.uniform(0, 2 * np.pi, (count, 1)) for count in (200, 1000)), None


parser = argparse.ArgumentParser()
parser.add_argument("--shared", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)
for maker in (cifar, mnist, keywords, machine, photos, waves):
    for name, calibration, check, labels in maker(args.shared / "data"):
        np.save(args.out / f"{name}.calibration.npy", np.ascontiguousarray(calibration, np.float32))
        np.save(args.out / f"{name}.check.npy", np.ascontiguousarray(check, np.float32))
        if labels is not None:
            np.save(args.out / f"{name}.labels.npy", labels)
        print(name, calibration.shape, check.shape)
