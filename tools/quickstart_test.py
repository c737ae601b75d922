"""Tests of tools/quickstart around a trainctl that does what the case says."""

import fcntl
import os
import unittest

from script_case import ScriptCase

_TRAINCTL = """
case "$*" in
  "cluster up"*) echo 127.0.0.1:7 >"$8/address"; echo up; %(up)s ;;
  "cluster down"*) echo down; %(down)s ;;
  *submit*) echo mnist-1; %(submit)s ;;
  *verify*) echo whole; %(verify)s ;;
esac
"""


class QuickstartTest(ScriptCase):

    scripts = ("quickstart",)

    def setUp(self):
        super().setUp()
        self.fake(os.path.join(self.root, "tools/build"))
        self.put("tools/fetch_mnist.py", "print('digits')")
        self.put("examples/mnist.yaml", "")
        self.home = os.path.join(self.folder, ".local/state/ringmaster")
        self.trainctl()

    def trainctl(self, submit="echo 'validation accuracy 98.10 %'", up="", down="", verify=""):
        body = _TRAINCTL % {"submit": submit, "up": up, "down": down, "verify": verify}
        self.fake(os.path.join(self.root, "dist/bin/trainctl"), body)

    def runs(self):
        return sorted(os.listdir(self.home)) if os.path.exists(self.home) else []

    def downs(self):
        return [call for call in self.calls() if call.startswith("trainctl cluster down")]

    def test_goes_through_all_of_it_in_order(self):
        status, out, err = self.run_script("quickstart", "--no-install")
        self.assertEqual((status, err), (0, ""))
        [run] = self.runs()
        folder = os.path.join(self.home, run)
        self.assertEqual(self.calls(), [
            "build --no-install",
            f"trainctl cluster up --workers 2 --slots 1 --dir {folder}",
            f"trainctl -c 127.0.0.1:7 submit {self.root}/examples/mnist.yaml --follow",
            "trainctl -c 127.0.0.1:7 checkpoint verify mnist-1",
            f"trainctl cluster down --dir {folder}",
        ])
        self.assertIn("validation accuracy 98.10 %", out)
        self.assertIn(folder, out)

    def test_refuses_an_accuracy_that_is_low_or_missing(self):
        for line, words in [("validation accuracy 96.99 %", "'96.99' %, expected 97"),
                            ("validation accuracy", "'' %, expected 97")]:
            with self.subTest(line):
                self.trainctl(submit=f"echo {line}")
                status, _, err = self.run_script("quickstart")
                self.assertEqual(status, 1)
                self.assertIn(words, err)
                self.assertEqual(len(self.downs()), len(self.runs()))

    def test_the_last_accuracy_counts(self):
        self.trainctl(submit="echo 'validation accuracy 20 %'; echo 'validation accuracy 97.00 %'")
        self.assertEqual(self.run_script("quickstart")[0], 0)

    def test_a_step_that_fails_stops_the_cluster_and_says_so(self):
        cases = [
            ({"up": "exit 69"}, "the cluster did not start"),
            ({"submit": "exit 100"}, "the job did not succeed (exit status 100)"),
            ({"verify": "exit 1"}, "the checkpoint is not whole"),
            ({"down": "exit 1"}, "cannot stop the cluster"),
        ]
        for number, (steps, words) in enumerate(cases, 1):
            with self.subTest(words):
                self.trainctl(**steps)
                status, _, err = self.run_script("quickstart")
                self.assertEqual(status, 1)
                self.assertIn(words, err)
                self.assertEqual(err.count("\n"), 1, err)
                self.assertEqual(len(self.downs()), number)

    def test_a_build_or_a_download_that_fails_starts_nothing(self):
        self.put("tools/fetch_mnist.py", "import sys; sys.exit('no network')")
        status, _, err = self.run_script("quickstart")
        self.assertEqual((status, err, self.runs()), (1, "no network\n", []))
        self.fake(os.path.join(self.root, "tools/build"), "exit 1")
        self.assertEqual(self.run_script("quickstart")[0], 1)
        self.assertEqual(self.downs(), [])

    def test_interrupted_it_stops_the_cluster_and_leaves_no_process(self):
        for number in self.signals():
            for step in ["up", "submit", "verify"]:
                with self.subTest(f"{number} in {step}"):
                    if os.path.exists(self.log):
                        os.unlink(self.log)
                    # As a real trainctl, the fake ends its own child when it is asked to end.
                    wait = "trap 'kill $!; exit 1' TERM; sleep 60 & echo at >>$LOG; wait"
                    self.trainctl(**{step: wait})
                    status, err = self.interrupt(self.start("quickstart"), number, "at")
                    self.assertEqual((status, err), (130, "tools/quickstart: interrupted\n"))
                    self.assertEqual(len(self.downs()), 1)

    def test_interrupted_in_the_build_it_leaves_no_process(self):
        self.fake(os.path.join(self.root, "tools/build"),
                  "trap 'kill $!; exit 1' TERM; sleep 60 & echo at >>$LOG; wait")
        for number in self.signals():
            process = self.start("quickstart")
            self.assertEqual(self.interrupt(process, number, "at")[0], 130)
            os.unlink(self.log)

    def test_two_at_the_same_time_have_folders_of_their_own(self):
        processes = [self.start("quickstart") for _ in range(2)]
        for process in processes:
            process.communicate(timeout=50)
            self.assertEqual(process.returncode, 0)
        self.assertEqual(len(self.runs()), 2)
        self.assertEqual(len(set(self.downs())), 2)

    def test_keeps_the_last_three_runs_and_those_that_still_run(self):
        for n in range(1, 6):
            os.makedirs(os.path.join(self.home, f"quickstart-2020010{n}-000000-abcd"))
        os.makedirs(os.path.join(self.home, "cluster"))
        for n in (1, 2, 3, 4):
            with open(os.path.join(self.home, f"quickstart-2020010{n}-000000-abcd", ".lock"), "w",
                      encoding="utf-8") as file:
                if n == 2:  # this one runs
                    held = file
                    fcntl.flock(os.dup(held.fileno()), fcntl.LOCK_EX)
        self.assertEqual(self.run_script("quickstart")[0], 0)
        left = [run[:19] for run in self.runs()]
        self.assertEqual(left[:-1], ["cluster", "quickstart-20200102", "quickstart-20200104",
                                     "quickstart-20200105"])

    def test_follows_xdg_state_home(self):
        self.environment["XDG_STATE_HOME"] = self.home = os.path.join(self.folder, "my state")
        self.assertEqual(self.run_script("quickstart")[0], 0)
        self.assertEqual(self.runs(), ["ringmaster"])

    def test_says_where_it_cannot_write(self):
        self.environment["XDG_STATE_HOME"] = "/dev/null"
        status, _, err = self.run_script("quickstart")
        self.assertEqual(status, 1)
        self.assertIn("cannot write to /dev/null/ringmaster", err)

    def test_refuses_unknown_arguments(self):
        status, _, err = self.run_script("quickstart", "--frobnicate")
        self.assertEqual((status, self.calls()), (2, []))
        self.assertIn("unknown argument '--frobnicate'", err)


if __name__ == "__main__":
    unittest.main()
