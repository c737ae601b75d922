"""Tests of soak: what it takes for flat, and that it refuses what it cannot do. The run itself is the real thing only."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import random
import subprocess
import sys
import tempfile
import unittest

_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "soak")


def _load():
    # It is a program without an extension.
    loader = importlib.machinery.SourceFileLoader("soak", _PATH)
    spec = importlib.util.spec_from_loader("soak", loader)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


soak = _load()


def _points(value_at, minutes=10, step=1 / 12):
    count = int(minutes / step)
    return [(i * step, value_at(i * step)) for i in range(count)]


class SlopeCase(unittest.TestCase):

    def test_a_line_has_its_slope(self):
        self.assertAlmostEqual(soak.slope(_points(lambda x: 3 + 0.7 * x)), 0.7)

    def test_a_constant_has_none(self):
        self.assertEqual(soak.slope(_points(lambda x: 12)), 0)

    def test_one_jump_is_no_slope(self):
        points = _points(lambda x: 10 if x < 5 else 30)
        self.assertLess(soak.slope(points), 5)
        early = _points(lambda x: 10 if x < 0.5 else 30)
        self.assertEqual(soak.slope(early), 0)

    def test_outliers_are_not_followed(self):
        noise = random.Random(4)
        points = _points(lambda x: 20 + (500 if noise.random() < 0.05 else noise.random()))
        self.assertLess(abs(soak.slope(points)), 0.05)

    def test_no_points_no_slope(self):
        self.assertEqual(soak.slope([]), 0)
        self.assertEqual(soak.slope([(1, 2)]), 0)


class JudgeCase(unittest.TestCase):

    def judge(self, value_at, measure="memory", minutes=10):
        _, bound, allowance = soak.BOUNDS[measure]
        return soak.judge(_points(value_at, minutes), bound, allowance)

    def test_a_leak_of_every_job_is_found(self):
        # 50 KiB a job, 40 jobs a minute.
        self.assertFalse(self.judge(lambda x: 5 + 2 * x).flat)
        # A descriptor every fifty seconds.
        self.assertFalse(self.judge(lambda x: 20 + int(1.2 * x), "descriptors").flat)

    def test_a_slow_leak_is_found_when_there_is_time_enough(self):
        self.assertTrue(self.judge(lambda x: 5 + 0.8 * x, minutes=3).flat)
        self.assertFalse(self.judge(lambda x: 5 + 0.8 * x, minutes=15).flat)

    def test_noise_is_flat(self):
        noise = random.Random(5)
        self.assertTrue(self.judge(lambda x: 30 + noise.uniform(-3, 3)).flat)

    def test_the_warm_up_is_not_held_against_a_daemon(self):
        self.assertTrue(self.judge(lambda x: 5 + 20 * min(x, 2)).flat)

    def test_what_shrinks_is_flat(self):
        self.assertTrue(self.judge(lambda x: 50 - 2 * x).flat)

    def test_a_short_life_is_not_judged(self):
        self.assertIsNone(soak.judge([(0.1 * i, 5) for i in range(7)], 1, 1))

    def test_every_bound_can_be_crossed(self):
        for measure in soak.BOUNDS:
            self.assertFalse(self.judge(lambda x: 100 * x, measure).flat, measure)


class SamplesCase(unittest.TestCase):

    def test_of_several_lives_the_longest_is_judged(self):
        samples = soak.Samples()
        for life, minutes, slope in ((1, 1, 0), (2, 8, 5), (3, 2, 0)):
            for i in range(minutes * 12):
                samples.add("worker-1", life, i / 12, {"memory": slope * i / 12})
        (daemon, measure, judged), = samples.verdicts()
        self.assertEqual((daemon, measure), ("worker-1", "memory"))
        self.assertAlmostEqual(judged.slope, 5)
        self.assertFalse(judged.flat)

    def test_a_restart_is_no_fall_and_no_rise(self):
        samples = soak.Samples()
        for life in range(1, 6):
            for i in range(40):
                samples.add("coordinator", life, life * 4 + i / 12, {"memory": 10 * life})
        (_, _, judged), = samples.verdicts()
        self.assertEqual(judged.slope, 0)


class MeasureCase(unittest.TestCase):

    def test_this_process_has_memory_descriptors_and_threads(self):
        values = soak.measure_process(os.getpid())
        self.assertEqual(set(values), {"memory", "descriptors", "threads"})
        self.assertGreater(values["memory"], 1)
        with tempfile.TemporaryFile():
            self.assertEqual(soak.measure_process(os.getpid())["descriptors"],
                             values["descriptors"] + 1)

    def test_a_process_that_is_gone_has_nothing(self):
        process = subprocess.Popen(["/bin/true"])
        process.wait()
        self.assertIsNone(soak.measure_process(process.pid))

    def test_temporary_files_are_told_by_their_names(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "job", ".tmp-000000000300-g1-abc"))
            os.makedirs(os.path.join(folder, "job", "step-000000000300-g1"))
            for name in (".address.tmp-1", "metrics.jsonl", "tmp", "attempt-1"):
                with open(os.path.join(folder, name), "w", encoding="utf-8"):
                    pass
            found = [os.path.basename(path) for path in soak.temp_files(folder)]
            self.assertEqual(found, [".address.tmp-1", ".tmp-000000000300-g1-abc"])

    def test_processes_are_found_by_what_they_inherited(self):
        environment = dict(os.environ, RM_SOAK_TEST="a value of this test")
        process = subprocess.Popen(["/bin/sleep", "60"], env=environment)
        try:
            soak._wait(lambda: soak.processes_with("RM_SOAK_TEST", "a value of this test"), 10,
                       "not found")
            self.assertEqual(soak.processes_with("RM_SOAK_TEST", "a value of this test"),
                             [process.pid])
        finally:
            process.kill()
            process.wait()


class UsageCase(unittest.TestCase):

    def run_soak(self, *arguments):
        return subprocess.run([sys.executable, _PATH, *arguments], capture_output=True, text=True,
                              check=False)

    def test_help_says_what_is_judged(self):
        done = self.run_soak("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("--minutes", "--seed", "Exit status", "130"):
            self.assertIn(word, done.stdout)

    def test_wrong_usage_is_status_2_and_one_line(self):
        for arguments, part in ((("--minutes", "0"), "--minutes above 0"),
                                (("--workers", "1"), "--workers at least 2"),
                                (("--minuts", "1"), "--minuts"),
                                (("--bin", "/nowhere"), "tools/build makes it")):
            done = self.run_soak(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(part, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_a_cluster_that_does_not_come_up_is_an_error_with_the_logs_kept(self):
        with tempfile.TemporaryDirectory() as binaries, contextlib.redirect_stderr(io.StringIO()):
            for name in ("trainctl", "ringmaster-coordinator", "ringmaster-worker"):
                path = os.path.join(binaries, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write("#!/bin/sh\necho no >&2\nexit 1\n")
                os.chmod(path, 0o755)
            done = self.run_soak("--bin", binaries, "--minutes", "1")
            self.assertEqual(done.returncode, 1)
            self.assertIn("the coordinator does not serve", done.stderr)
            kept = done.stderr.split("kept ")[1].strip()
            with open(os.path.join(kept, "coordinator.log"), encoding="utf-8") as log:
                self.assertEqual(log.read(), "no\n")
            subprocess.run(["rm", "-r", kept], check=True)


if __name__ == "__main__":
    unittest.main()
